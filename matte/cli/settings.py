"""An option for each setting, made from what the setting's field knows."""

import os
import re
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from matte.cli.grouped import option
from matte.cli.options import FILE
from matte.configs.fields import SettingRule
from matte.configs.loader import (
    DEFAULT_PRESET,
    OLD_PROTOCOL,
    MergedSettings,
    merge_settings,
    preset_names,
    written_values,
)
from matte.configs.places import settings_file
from matte.configs.settings import SETTINGS, Setting, section_settings
from matte.errors import WeightsError

# Which kind of stored network an option takes.
NETWORKS = {
    "segmenter": "segmenter",
    "refiner": "refiner",
    "video_refiner": "refiner",
    "modnet": "modnet",
}
# Settings that several commands take together.
BAND = section_settings("trimap")
VIDEO = ("temporal", "segment_every", "refine_size", "keep_alpha", "despeckle")
SEGMENTING = section_settings("segmentation")
COMPOSITING = section_settings("compositing")
RUNNING = (
    "backend",
    "device",
    "require_gpu",
    "precision",
    "refiner_protocol",
    "modnet_protocol",
    "compile",
    "torch_compile",
    "threads",
)
METAVARS = {
    "pixels": "PIXELS",
    "frames": "FRAMES",
    "milliseconds": "MS",
    "share": "SHARE",
    "length": "PIXELS|PERCENT",
    "bytes": "MEMORY",
}
F = TypeVar("F", bound=Callable[..., Any])


class NumberOrWord(click.ParamType[int | str]):
    """A whole number, or one of some words."""

    name = "number"

    def __init__(self, words: tuple[str, ...], low: int | None = None, high: int = 0) -> None:
        """Numbers are `low` … `high`, both included; any without `low`."""
        self.words, self._low, self._high = words, low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number or the word; fail for anything else."""
        if value in self.words or isinstance(value, int):
            return value
        try:
            number = int(value)
        except ValueError:
            is_list = param is not None and param.name == "k" and "," in str(value)
            several = "; 'matte sweep-trimap' tries several" if is_list else ""
            words = " or ".join(self.words)
            self.fail(f"{value!r} is neither a whole number nor {words}{several}")
        if self._low is not None and not self._low <= number <= self._high:
            self.fail(f"{value} is not {self._low} … {self._high} or {' or '.join(self.words)}")
        return number


def setting_options(*names: str, default_preset: str = DEFAULT_PRESET) -> Callable[[F], F]:
    """Return a decorator that adds --preset, --config and an option for each of the settings.

    The command gets them as its argument `settings`, merged with the preset and the user's file.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def with_settings(preset: str | None, config_file: Path | None, **arguments: Any) -> Any:
            flags = {name: arguments.pop(name) for name in names}
            flags[OLD_PROTOCOL] = arguments.pop(OLD_PROTOCOL, None)
            own = settings_file()
            file = config_file or (own if os.path.isfile(own) else None)
            settings = merge_settings(preset, file, flags, default=default_preset)
            try:
                return command(settings=settings, **arguments)
            except WeightsError as error:
                _name_file(error, settings, str(file))
                raise

        decorated: Any = with_settings
        if "refiner_protocol" in names:
            decorated = click.option(
                "--protocol", OLD_PROTOCOL, hidden=True, help="Now --refiner-protocol."
            )(decorated)
        for name in reversed(names):
            decorated = _setting_option(name, SETTINGS[name])(decorated)
        config = option(
            "--config", "config_file", type=FILE, group="Running", help="A settings file (TOML)."
        )
        choice = option(
            "--preset",
            metavar="NAME",
            group="Running",
            common=True,
            shell_complete=lambda ctx, param, word: _completions(preset_names(), word),
            help=f"Settings to start from: {', '.join(preset_names())}"
            f"  [default: {default_preset}]",
        )
        result: F = choice(config(decorated))
        return result

    return decorate


def _name_file(error: WeightsError, settings: MergedSettings, file: str) -> None:
    """Let the error say that the network which it is about is named by the settings file."""
    written = written_values(settings.config)
    for name in NETWORKS:
        if settings.origins[name] != file or SETTINGS[name].rule.is_unset(written[name]):
            continue
        if re.search(rf"(?<![\w./-]){re.escape(written[name])}(?![\w-]|\.\w)", error.cause):
            error.set_text(f"{file}: {error.cause}", error.remedy)
            return


def _setting_option(name: str, setting: Setting) -> Callable[[Any], Any]:
    """Return the decorator that adds a setting's option to a command."""
    rule = setting.rule
    words = f"--{name.replace('_', '-')}"
    if setting.hint is bool:
        words = f"{words}/--no-{words[2:]}"
    return option(
        words,
        name,
        type=_click_type(setting),
        metavar=_metavar(setting),
        default=None,
        group=rule.group,
        common=rule.common,
        help=rule.help + _range_text(rule),
        shell_complete=_network_names if name in NETWORKS else None,
    )


def _click_type(setting: Setting) -> Any:
    """Return click's type for a setting; texts with units are parsed when layers are merged."""
    hint, rule = setting.hint, setting.rule
    if hint is bool:
        return None
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    if rule.unit in ("length", "bytes"):
        return str
    if get_origin(hint) in (Union, UnionType):
        return NumberOrWord(setting.words) if int in get_args(hint) else str
    return hint


def _metavar(setting: Setting) -> str | None:
    """Return what stands for the value in --help; None where click knows better."""
    hint, rule = setting.hint, setting.rule
    if hint is bool or get_origin(hint) is Literal:
        return None
    number = "NUMBER" if hint is float or int in (hint, *get_args(hint)) else "TEXT"
    return "|".join([rule.metavar or METAVARS.get(rule.unit, number), *setting.words])


def _range_text(rule: SettingRule) -> str:
    """Return the numbers that a setting takes, for --help; empty where words say it already."""
    if rule.maximum is None or rule.examples or rule.maximum > 10**6:
        return ""
    if rule.between:
        return ""
    return f"  [{rule.minimum:g} … {rule.maximum:g}]"


def _network_names(ctx: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
    """Return the stored networks of the kind that the option takes, and files."""
    from matte.refiner import REFINERS
    from matte.weights.store import all_weights

    kind = NETWORKS[str(param.name)]
    names = [name for name, w in all_weights().items() if w.kind == kind]
    if kind == "refiner":
        names += REFINERS
    return [CompletionItem(word, type="file"), *_completions(sorted(names), word)]


def _completions(names: Iterable[str], word: str) -> list[CompletionItem]:
    """Return the names that a shell may complete a word to."""
    return [CompletionItem(name) for name in names if name.startswith(word)]
