"""Options that several commands share."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from matte.configs.loader import DEFAULT_PRESET, presets, settle
from matte.configs.places import user_config
from matte.configs.settings import SETTINGS
from matte.errors import BackendError, OutputError

NETWORKS = ("segmenter", "refiner", "modnet")  # options that take a stored network of that kind
# Groups of settings, as several commands take them.
BAND = ("k", "iterations", "erode", "dilate", "shape", "width")
MOVING = ("temporal", "segment_every", "refine_size", "keep_alpha")
SEGMENTING = (
    "segmenter",
    "size",
    "threshold",
    "keep_parts",
    "fill_holes",
    "open_mask",
    "close_mask",
    "smooth_mask",
)
RUNNING = (
    "protocol",
    "backend",
    "device",
    "require_gpu",
    "precision",
    "compile",
    "torch_compile",
    "threads",
)
GROUND = "PICTURE|COLOUR|blur[:RADIUS]|transparent"  # what --bg takes
FILM_GROUND = GROUND.replace("|", "|VIDEO|", 1)  # and where frames follow one another
F = TypeVar("F", bound=Callable[..., Any])


class FileName(click.Path):
    """A path, whatever is there; what can't be read or written is said by whoever tries."""

    def __init__(self) -> None:
        super().__init__(readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuses the empty name, which pathlib takes for the current folder."""
        if value == "":
            self.fail("an empty name", param, ctx)
        return super().convert(value, param, ctx)


FILE = FileName()


def setting_options(*flags: str) -> Callable[[F], F]:
    """Adds --preset, --config and an option for each of the settings.

    The command gets them merged with the preset and the user's file, as its argument `settled`.
    """

    def decorate(command: F) -> F:
        @wraps(command)
        def with_settings(preset: str | None, config_file: Path | None, **arguments: Any) -> Any:
            given = {flag: arguments.pop(flag) for flag in flags}
            own = user_config()
            file = config_file or (own if os.path.isfile(own) else None)
            return command(settled=settle(preset, file, given), **arguments)

        decorated: Any = with_settings
        for flag in reversed(flags):
            setting = SETTINGS[flag]
            words = f"--{flag.replace('_', '-')}"
            if setting.hint is bool:
                words = f"{words}/--no-{words[2:]}"
            option = click.option(
                words,
                flag,
                type=None if setting.hint is bool else _type(setting.hint),
                default=None,
                help=setting.help,
                shell_complete=_networks if flag in NETWORKS else None,
            )
            decorated = option(decorated)
        config = click.option("--config", "config_file", type=FILE, help="A settings file (TOML).")
        choice = click.option(
            "--preset",
            metavar="NAME",
            shell_complete=lambda ctx, param, word: _beginning(presets(), word),
            help=f"Where to start from: {', '.join(presets())}  [default: {DEFAULT_PRESET}]",
        )
        result: F = choice(config(decorated))
        return result

    return decorate


def cut_options(command: F) -> F:
    """Adds --crop and --premultiply."""
    premultiply = click.option(
        "--premultiply", is_flag=True, help="A cut-out's colours are multiplied with alpha."
    )
    margin = "Keep the subject and a margin: 0, 20, 5% of it."
    return click.option("--crop", metavar="MARGIN", help=margin)(premultiply(command))


def output_options(default: str, what: str = "File to write.") -> Callable[[F], F]:
    """Adds -o, --overwrite and --quiet; `default` tells the name that is used without -o."""

    def decorate(command: F) -> F:
        quiet = click.option(
            "-q", "--quiet", is_flag=True, help="Don't print the names of the files."
        )
        again = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
        output = click.option("-o", "--output", type=FILE, help=f"{what}  [default: {default}]")
        return output(again(quiet(command)))

    return decorate


@contextmanager
def needs_torch(what: str) -> Iterator[None]:
    """Around an import of what needs an extra: if a package is missing, its remedy is said."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("matte"):
            raise  # our bug
        raise BackendError(f"{what} needs {error.name}", "pip install 'matte[train]'") from error


def told(path: Path, err: bool = False) -> None:
    """Prints the name of a file that was written."""
    try:
        click.echo(os.fsencode(path), err=err)  # a name may be no text
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read has enough; click ends quietly
        raise OutputError(f"can't print ({error.strerror})", "the files are written") from error


def beside(path: Path, ending: str) -> Path:
    """`photo.jpg` and `-alpha.png` give `photo-alpha.png`, in the photo's folder."""
    return path.parent / (path.stem + ending)


def _networks(ctx: click.Context, param: click.Parameter, word: str) -> list[CompletionItem]:
    """The stored networks of the kind that the option takes, and files."""
    from matte.refiner import REFINERS
    from matte.weights.store import all_weights

    names = [name for name, w in all_weights().items() if w.kind == param.name]
    if param.name == "refiner":
        names += REFINERS
    return [CompletionItem(word, type="file"), *_beginning(sorted(names), word)]


def _beginning(names: Iterable[str], word: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(word)]


class NumberOr(click.ParamType[int | str]):
    """A whole number, or one of some words."""

    name = "number"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What stands for it in --help."""
        return "|".join(("INTEGER", *self.words))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number or the word."""
        if value in self.words or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor {' or '.join(self.words)}")


def _type(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        number, words = get_args(hint)
        assert number is int
        return NumberOr(get_args(words))
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    return hint
