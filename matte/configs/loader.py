"""Merges the layers of settings: defaults < preset < settings file < flags."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from matte.configs.fields import as_table
from matte.configs.settings import SETTINGS, Config, ModnetSettings
from matte.configs.stage_settings import MASK_SETTINGS
from matte.configs.tables import convert, errors_of, from_table, parse_setting, read_toml
from matte.errors import MatteWarning, SettingError
from matte.registry import nearest

PRESETS = Path(__file__).parent / "presets"
DEFAULT_PRESET = "balanced"
TRIMAP_FREE = "modnet"  # the shipped network
# The setting that 0.1 had for both: its words belong to one of them each.
OLD_PROTOCOL = "protocol"
PROTOCOLS = ("refiner_protocol", "modnet_protocol")


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """The settings of a run and, by name, the layer that each came from."""

    config: Config
    preset: str
    origins: dict[str, str]


def merge_settings(
    preset: str | None = None,
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    default: str = DEFAULT_PRESET,
) -> MergedSettings:
    """Return the settings of all layers, merged and checked.

    `preset` None is the file's choice, or the `default`; `file` is the user's settings, if any;
    `flags` are values by name, parsed or as text; one that is None is left out.

    Example: `merge_settings("fast", flags={"width": "1.5%"}).config.trimap.width`
    """
    user = read_toml(file) if file else {}
    own_preset = user.pop("preset", default)
    with errors_of(str(file) if preset is None and file else ""):
        name = convert(own_preset if preset is None else preset, str, "preset")
        preset_file = _preset_file(name)

    tables: dict[str, dict[str, Any]] = {}
    origins = dict.fromkeys(SETTINGS, "default")
    for origin, layer in (
        (f"preset {name}", _parse_layer(read_toml(preset_file), f"preset {name}")),
        (str(file), _parse_layer(user, str(file))),
        ("flag", _flags_by_section(flags or {})),
    ):
        for section, table in layer.items():
            tables.setdefault(section, {}).update(table)
        if "refiner" in layer.get("refiner", {}) and "video_refiner" not in layer.get("video", {}):
            tables.get("video", {}).pop("video_refiner", None)  # who names one means it for all
            origins["video_refiner"] = "default"
        for setting in _drop_replaced_band(tables.get("trimap", {}), layer.get("trimap", {})):
            origins[setting] = "default"
        for setting, s in SETTINGS.items():
            if setting in layer.get(s.section, {}):
                origins[setting] = origin
    try:
        return MergedSettings(from_table(Config, tables, "settings"), name, origins)
    except SettingError as error:
        # Each file is right by itself: flags are wrong, or what both say excludes each other.
        ours = [each for each in re.findall(r"\w+", error.cause) if origins.get(each) == str(file)]
        where = f" ({' and '.join(ours)} of {file})" if ours else ""
        raise SettingError(error.cause + where, error.remedy) from error


def with_modnet(merged: MergedSettings) -> MergedSettings:
    """Return the settings with a MODNet: the shipped one, unless they name one."""
    if merged.config.modnet.modnet:
        return merged
    return replace(merged, config=replace(merged.config, modnet=ModnetSettings(TRIMAP_FREE)))


def refuse_unused_cleaning(merged: MergedSettings, run: str) -> None:
    """Raise if a flag asks for cleaning the mask of a `run`, in words, that makes none."""
    for name in MASK_SETTINGS:
        if getattr(merged.config.segmentation, name) and merged.origins[name] == "flag":
            flag = f"--{name.replace('_', '-')}"
            raise SettingError(f"{run} makes no mask, so {flag} means nothing", "leave it out")


def with_video_networks(merged: MergedSettings) -> MergedSettings:
    """Return merged settings with the networks of videos in place of those of pictures.

    A segmenter that the user named stays. Frames are not segmented or refined twice unless a flag
    says so.
    """
    config, origins = merged.config, dict(merged.origins)
    video = config.video
    if config.refiner.mirrored and origins["mirrored"] != "flag":
        config = replace(config, refiner=replace(config.refiner, mirrored=False))
    if config.segmentation.segment_mirrored and origins["segment_mirrored"] != "flag":
        once = replace(config.segmentation, segment_mirrored=False)
        config = replace(config, segmentation=once)
    if video.video_refiner:
        config = replace(config, refiner=replace(config.refiner, refiner=video.video_refiner))
        origins["refiner"] = origins["video_refiner"]
    if video.video_segmenter and origins["segmenter"] != "flag":
        segmentation = replace(config.segmentation, segmenter=video.video_segmenter)
        config, origins["segmenter"] = (
            replace(config, segmentation=segmentation),
            origins["video_segmenter"],
        )
    return merged if config is merged.config else replace(merged, config=config, origins=origins)


def with_preset(merged: MergedSettings, preset: str, **flags: Any) -> MergedSettings:
    """Return another preset's settings, with the file and flags of these, and more flags."""
    known = written_values(merged.config)
    overrides = {
        name: known[name]
        for name, origin in merged.origins.items()
        if origin not in ("default", f"preset {merged.preset}")
    }
    return merge_settings(preset, flags=overrides | flags)


def preset_names() -> list[str]:
    """Return the names of the shipped presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def written_values(config: Config) -> dict[str, Any]:
    """Return every setting by its name, as files and flags write it: text, number or boolean."""
    tables = as_table(config)
    return {name: tables[s.section][name] for name, s in SETTINGS.items()}


def _parse_layer(layer: dict[str, Any], origin: str) -> dict[str, dict[str, Any]]:
    """Return a file's tables with their values parsed; errors name the file."""
    with errors_of(origin):
        runtime = layer.get("runtime")
        if isinstance(runtime, Mapping):
            layer = layer | {"runtime": _split_protocol(runtime, origin)}
        from_table(Config, layer, "settings")
        return {
            section: {
                name: parse_setting(value, SETTINGS[name].hint, SETTINGS[name].rule, name)
                for name, value in table.items()
            }
            for section, table in layer.items()
        }


def _flags_by_section(flags: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the flags that are not None, parsed, in tables like those of a file."""
    tables: dict[str, dict[str, Any]] = {}
    present = {name: value for name, value in flags.items() if value is not None}
    for name, value in _split_protocol(present, "flag").items():
        if name not in SETTINGS:
            raise SettingError(f"no setting {name!r}", nearest(name, SETTINGS))
        s = SETTINGS[name]
        tables.setdefault(s.section, {})[name] = parse_setting(value, s.hint, s.rule, name)
    return tables


def _split_protocol(table: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return the table with 0.1's `protocol` as the settings that it became, and say so."""
    rest = dict(table)
    if OLD_PROTOCOL not in rest:
        return rest
    word = rest.pop(OLD_PROTOCOL)
    words = {name: get_args(SETTINGS[name].hint) for name in PROTOCOLS}
    known = list(dict.fromkeys(option for options in words.values() for option in options))
    if word not in known:
        raise SettingError(f"{OLD_PROTOCOL} = {word!r}", nearest(str(word), known))
    found = {name: word if word in options else "auto" for name, options in words.items()}
    new = [name for name in PROTOCOLS if word in words[name]]
    now = " and ".join(f"{name} = {word}" for name in new)
    where = "" if origin == "flag" else f"{origin}: "
    warnings.warn(f"{where}{OLD_PROTOCOL} = {word} is now {now}", MatteWarning, stacklevel=5)
    return found | rest


def _drop_replaced_band(merged: dict[str, Any], layer: Mapping[str, Any]) -> list[str]:
    """Drop what a later layer's way to draw the band replaces, and return the dropped names.

    A kernel's k, iterations, … end an earlier layer's width, and its "auto" or "learned" too.
    """
    if layer.get("width") or not layer.keys() - {"width"}:
        return []
    replaced = {"width"} - layer.keys()
    if isinstance(merged.get("k"), str):
        replaced |= {"k"} - layer.keys()
    return [name for name in replaced if merged.pop(name, None) is not None]


def _preset_file(name: str) -> Path:
    """Return the file of a shipped preset; raise if there is none of that name."""
    if name not in preset_names():
        remedy = nearest(name, preset_names())
        if name.lower().endswith(".toml"):
            remedy = f"give a file of settings with --config {name}"
        raise SettingError(f"no preset {name!r}", remedy)
    return PRESETS / f"{name}.toml"
