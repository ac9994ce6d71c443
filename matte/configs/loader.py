"""Merges the layers of settings: defaults < preset < settings file < flags."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matte.configs.settings import SETTINGS, Config, ModnetSettings
from matte.configs.tables import fit, from_file, from_table, read_toml
from matte.errors import SettingError
from matte.registry import nearest

PRESETS = Path(__file__).parent / "presets"
DEFAULT_PRESET = "balanced"
TRIMAP_FREE = "modnet"  # the shipped network


@dataclass(frozen=True, slots=True)
class Settled:
    """The settings of a run and, by name, the layer that each came from."""

    config: Config
    preset: str
    origins: dict[str, str]


def with_modnet(settled: Settled) -> Settled:
    """The settings with a MODNet: the shipped one, unless they name one."""
    if settled.config.modnet.modnet:
        return settled
    return replace(settled, config=replace(settled.config, modnet=ModnetSettings(TRIMAP_FREE)))


def for_video(settled: Settled) -> Settled:
    """The settings with the refiner that video has for that of pictures."""
    return replace(settled, config=refined_for_video(settled.config))


def refined_for_video(config: Config) -> Config:
    """The same, of settings alone."""
    name = config.video.video_refiner
    return replace(config, refiner=replace(config.refiner, refiner=name)) if name else config


def with_preset(settled: Settled, preset: str, **flags: Any) -> Settled:
    """What was asked for besides the preset, with another preset, and flags on top of it."""
    known = values(settled.config)
    asked = {
        name: known[name]
        for name, origin in settled.origins.items()
        if origin not in ("default", f"preset {settled.preset}")
    }
    return settle(preset, flags=asked | flags)


def settle(
    preset: str | None = None, file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settled:
    """The merged settings.

    `preset` None is the file's choice, or the default; `file` is the user's settings, if any;
    `flags` are values by name, of which None means not given.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    for name in given:
        if name not in SETTINGS:
            raise SettingError(f"no setting {name!r}", nearest(name, SETTINGS))
    user = read_toml(file) if file else {}
    wanted = user.pop("preset", DEFAULT_PRESET)
    name = fit(wanted if preset is None else preset, str, "preset")

    tables: dict[str, dict[str, Any]] = {}
    origins = dict.fromkeys(SETTINGS, "default")
    for origin, layer in (
        (f"preset {name}", read_toml(_preset_file(name))),
        (str(file), user),
        ("flag", _by_section(given)),
    ):
        if origin != "flag":
            from_file(Config, layer, origin)  # so that a mistake is told with its layer
        for section, table in layer.items():
            tables.setdefault(section, {}).update(table)
        if "refiner" in layer.get("refiner", {}) and "video_refiner" not in layer.get("video", {}):
            tables.get("video", {}).pop("video_refiner", None)  # who names one means it for all
            origins["video_refiner"] = "default"
        for setting in _one_band(tables.get("trimap", {}), layer.get("trimap", {})):
            origins[setting] = "default"
        for setting, s in SETTINGS.items():
            if setting in layer.get(s.section, {}):
                origins[setting] = origin
    return Settled(from_table(Config, tables, "settings"), name, origins)


def presets() -> list[str]:
    """The names of the shipped presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def values(config: Config) -> dict[str, Any]:
    """The value of every setting by its name."""
    tables = asdict(config)
    return {name: tables[s.section][name] for name, s in SETTINGS.items()}


def _one_band(merged: dict[str, Any], layer: Mapping[str, Any]) -> list[str]:
    """Drops what a later layer's way to draw the band replaces; returns the names of it.

    A kernel's k, iterations, … end an earlier layer's width, and its "auto" too.
    """
    if layer.get("width") or not layer.keys() - {"width"}:
        return []
    replaced = {"width"} - layer.keys()
    if merged.get("k") == "auto":
        replaced |= {"k"} - layer.keys()
    return [name for name in replaced if merged.pop(name, None) is not None]


def _preset_file(name: str) -> Path:
    if name not in presets():
        raise SettingError(f"no preset {name!r}", nearest(name, presets()))
    return PRESETS / f"{name}.toml"


def _by_section(flags: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for name, value in flags.items():
        s = SETTINGS[name]
        tables.setdefault(s.section, {})[name] = fit(value, s.hint, name)
    return tables
