"""The settings of a run. Each has one name: as a flag, as an override and in files."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin

from matte.configs.fields import SettingRule, literal_words, rule_of
from matte.configs.run_settings import (
    CompositingSettings,
    MediaSettings,
    RuntimeSettings,
    VideoSettings,
)
from matte.configs.stage_settings import (
    ModnetSettings,
    PipelineSettings,
    RefinerSettings,
    SegmentationSettings,
    TrimapSettings,
)

__all__ = [
    "SETTINGS",
    "CompositingSettings",
    "Config",
    "MediaSettings",
    "ModnetSettings",
    "PipelineSettings",
    "RefinerSettings",
    "RuntimeSettings",
    "SegmentationSettings",
    "Setting",
    "TrimapSettings",
    "VideoSettings",
    "section_settings",
]


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run, one section for each folder that reads it."""

    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)
    trimap: TrimapSettings = field(default_factory=TrimapSettings)
    refiner: RefinerSettings = field(default_factory=RefinerSettings)
    modnet: ModnetSettings = field(default_factory=ModnetSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    compositing: CompositingSettings = field(default_factory=CompositingSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)


@dataclass(frozen=True, slots=True)
class Setting:
    """The section that a setting stands in, its type, and its rule."""

    section: str
    hint: Any
    rule: SettingRule

    @property
    def words(self) -> tuple[str, ...]:
        """The words that the setting may be, besides numbers and other texts."""
        is_one = get_origin(self.hint) is Literal
        words = get_args(self.hint) if is_one else literal_words(self.hint)
        return (*words, *([self.rule.unset] if self.rule.unset else []))

    @property
    def number_kind(self) -> type[int] | type[float] | None:
        """The kind of number that the setting may be; None if it is none."""
        members = (self.hint, *get_args(self.hint))
        return int if int in members else float if float in members else None


def _settings() -> Iterator[tuple[str, Setting]]:
    """Yield every field of every section, with its name."""
    names = set()
    for section in fields(Config):
        assert isinstance(section.type, type)
        for each in fields(section.type):
            rule = rule_of(each)
            assert rule is not None, f"{each.name} has no rule"
            assert each.name not in names, f"two settings are called {each.name}"
            names.add(each.name)
            yield each.name, Setting(section.name, each.type, rule)


SETTINGS = dict(_settings())


def section_settings(*sections: str) -> tuple[str, ...]:
    """Return the names of the settings of some sections, in their order."""
    return tuple(name for s in sections for name, found in SETTINGS.items() if found.section == s)
