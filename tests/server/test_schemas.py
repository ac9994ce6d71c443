"""Schemas made from the settings' own rules."""

from matte.server.schemas import setting_schema


def test_settings_have_their_ranges() -> None:
    assert setting_schema("k")["anyOf"] == [
        {"type": "integer", "minimum": 1, "maximum": 101},
        {"type": "string", "enum": ["auto", "learned"]},
    ]
    assert setting_schema("threshold")["exclusiveMaximum"] == 1
    assert setting_schema("shape")["enum"] == ["ellipse", "rect", "cross"]
    assert setting_schema("width")["type"] == "string"
