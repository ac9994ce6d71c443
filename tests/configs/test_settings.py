from dataclasses import fields

from matte.configs import settings
from matte.configs.settings import SETTINGS, Config


def test_every_field_of_every_section_is_a_setting_with_a_name_of_its_own() -> None:
    sections = {section.name: section.type for section in fields(Config)}
    named = [(name, f.name) for name, kind in sections.items() for f in fields(kind)]  # type: ignore[arg-type]  # classes of settings
    assert [(s.section, name) for name, s in SETTINGS.items()] == named


def test_public_names_are_there() -> None:
    assert settings.__all__ == sorted(settings.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(settings, name) for name in settings.__all__)
