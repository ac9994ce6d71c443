"""Options that several commands share."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from matte.configs.loader import DEFAULT_PRESET, presets, settle
from matte.configs.places import user_config
from matte.configs.settings import SETTINGS
from matte.errors import BackendError, OutputError

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
            option = click.option(f"--{flag}", type=_type(setting.hint), help=setting.help)
            decorated = option(decorated)
        config = click.option("--config", "config_file", type=FILE, help="A settings file (TOML).")
        choice = click.option(
            "--preset",
            metavar="NAME",
            help=f"Where to start from: {', '.join(presets())}  [default: {DEFAULT_PRESET}]",
        )
        result: F = choice(config(decorated))
        return result

    return decorate


def output_options(default: str) -> Callable[[F], F]:
    """Adds -o, --overwrite and --quiet; `default` tells the name that is used without -o."""

    def decorate(command: F) -> F:
        quiet = click.option(
            "-q", "--quiet", is_flag=True, help="Don't print the names of the files."
        )
        again = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
        output = click.option(
            "-o", "--output", type=FILE, help=f"File to write.  [default: {default}]"
        )
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


def told(path: Path) -> None:
    """Prints the name of a file that was written."""
    try:
        click.echo(path)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read has enough; click ends quietly
        raise OutputError(f"can't print ({error.strerror})", "the files are written") from error


def beside(path: Path, ending: str) -> Path:
    """`photo.jpg` and `-alpha.png` give `photo-alpha.png`, in the photo's folder."""
    return path.parent / (path.stem + ending)


def _type(hint: Any) -> Any:
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    return hint
