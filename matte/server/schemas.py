"""The schemas of what the API takes and gives, made from the settings' own rules."""

from typing import Any, Literal, get_origin

from matte.configs.fields import SettingRule
from matte.configs.loader import preset_names
from matte.configs.settings import SETTINGS
from matte.configs.stage_settings import BAND_WORDS
from matte.limits import (
    MAX_STROKE_POINTS,
    MAX_STROKE_RADIUS,
    MAX_STROKES,
    MAX_SWEEP_SETTINGS,
)
from matte.server.asked import FORMATS, MAX_SIDE, PICTURE_SETTINGS
from matte.server.bounds import maximum_of
from matte.server.strokes import VALUES

Schema = dict[str, Any]
OBJECT: Schema = {"type": "object"}
TEXT: Schema = {"type": "string"}
PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do about it."},
    },
}
FORM_PARAMETERS: dict[str, Schema] = {
    "preset": {"type": "string", "enum": preset_names()},
    "bg": {
        "type": "string",
        "description": "transparent, a colour (white, #205080), blur, blur:20, or picture:ID.",
    },
    "crop": {"type": "string", "description": "Crop to the subject, with this margin: 0, 12, 3%."},
    "canvas": {
        "type": "string",
        "pattern": r"^\d{1,4}x\d{1,4}$",
        "description": "Put the subject on a canvas of this size: 2000x2000.",
    },
    "fill": {"type": "string", "description": "How much of the canvas it takes: 85%."},
    "align": {"type": "string", "enum": ["centre", "bottom"]},
    "shadow": {"type": "string", "description": "none, contact, drop, or drop:20%."},
    "premultiply": {"type": "string", "enum": ["0", "1"]},
    "format": {"type": "string", "enum": [*FORMATS]},
    "bits": {"type": "string", "enum": ["8", "16"], "description": "Of an alpha."},
    "max_side": {"type": "integer", "minimum": 1, "maximum": MAX_SIDE},
    "box": {"type": "string", "pattern": r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$"},
    "quick": {"type": "string", "enum": ["0", "1"], "description": "Of a small copy: a preview."},
    "lossy": {"type": "string", "enum": ["0", "1"]},
    "download": {"type": "string", "enum": ["0", "1"]},
}
STROKE: Schema = {
    "type": "object",
    "required": ["value", "radius", "points"],
    "additionalProperties": False,
    "properties": {
        "value": {"type": "string", "enum": [*VALUES]},
        "radius": {"type": "number", "minimum": 0.5, "maximum": MAX_STROKE_RADIUS},
        "points": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_STROKE_POINTS,
            "items": {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "number"},
            },
        },
    },
}
STROKES: Schema = {
    "type": "object",
    "required": ["strokes"],
    "properties": {"strokes": {"type": "array", "maxItems": MAX_STROKES, "items": STROKE}},
}
AXIS: Schema = {"type": "array", "maxItems": MAX_SWEEP_SETTINGS}
SWEEP: Schema = {
    "type": "object",
    "properties": {
        "k": {**AXIS, "items": {"anyOf": [{"type": "integer"}, {"enum": list(BAND_WORDS)}]}},
        "iterations": {**AXIS, "items": {"type": "integer"}},
        "width": {**AXIS, "items": {"type": "string"}},
    },
}


def result_values() -> dict[str, Schema]:
    """Return everything that a result depends on, by its name."""
    return {**FORM_PARAMETERS, **{name: setting_schema(name) for name in PICTURE_SETTINGS}}


def setting_schema(name: str) -> Schema:
    """Return the schema of a setting, as a query has it."""
    setting = SETTINGS[name]
    words: list[str] = list(setting.words)
    schema: Schema = {"description": setting.rule.help}
    if setting.number_kind is None:
        is_word = get_origin(setting.hint) is Literal
        return schema | TEXT | ({"enum": words} if is_word else {})
    numbers = _number_schema(name, setting.number_kind, setting.rule)
    if not words:
        return schema | numbers
    return schema | {"anyOf": [numbers, {"type": "string", "enum": words}]}


def _number_schema(name: str, kind: type, rule: SettingRule) -> Schema:
    """Return the schema of a setting's numbers."""
    schema: Schema = {"type": "integer" if kind is int else "number"}
    ends = ("exclusiveMinimum", "exclusiveMaximum") if rule.between else ("minimum", "maximum")
    for end, value in zip(ends, (rule.minimum, maximum_of(name, rule)), strict=True):
        if value is not None:
            schema[end] = value
    if rule.multiple_of:
        schema["multipleOf"] = rule.multiple_of
    return schema
