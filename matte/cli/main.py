"""`matte`: finds the command, and turns errors into one line."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError
from click.shell_completion import CompletionItem

import matte
from matte.cli.progress import first_run_noted
from matte.cli.standard_streams import checked_streams
from matte.errors import (
    InterruptedRunError,
    MatteError,
    MatteWarning,
    SettingError,
    is_memory_error,
    out_of_memory,
    printable,
)
from matte.interrupts import end_process, is_program
from matte.registry import close_names, resolve
from matte.stores.opening import is_store_address

COMMANDS = {
    "bench": "matte.cli.bench:bench",
    "compile": "matte.cli.compile:compile_engines",
    "completion": "matte.cli.completion:completion",
    "composite": "matte.cli.composite:composite",
    "config": "matte.cli.config:config",
    "data": "matte.cli.data:data",
    "doctor": "matte.cli.doctor:doctor",
    "eval": "matte.cli.eval:evaluate",
    "export": "matte.cli.export:export",
    "fleet": "matte.cli.fleet:fleet",
    "image": "matte.cli.image:image",
    "refine": "matte.cli.refine:refine",
    "serve": "matte.cli.serve:serve",
    "sweep-trimap": "matte.cli.sweep:sweep_trimap",
    "train": "matte.cli.train:train",
    "trimap": "matte.cli.trimap:trimap",
    "video": "matte.cli.video:video",
    "webcam": "matte.cli.webcam:webcam",
    "weights": "matte.cli.weights:weights",
}
OWN_OPTIONS = ("--help", "-h", "--version")
MAX_COMPARED_FILES = 5000  # of a folder, with a name that is not there


class Failure(click.ClickException):
    """A MatteError as click prints it: one line, and the error's exit code."""

    def __init__(self, error: MatteError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares it for the class


class MatteGroup(click.Group):
    """The commands, each loaded when it is called; a bare FILE means `image FILE`."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; that standard output takes nothing ends it with one line.

        One that was interrupted ends at once.
        """
        with checked_streams():
            try:
                return super().main(*args, **kwargs)
            except SystemExit as end:
                if end.code == InterruptedRunError.exit_code and is_program():
                    end_process()
                raise

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the program's own options; a mistake among them is one line."""
        with one_line_errors():
            return super().make_context(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = resolve("command", COMMANDS, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `image` before a first word that is not a command."""
        if args and args[0] not in COMMANDS and args[0] not in OWN_OPTIONS:
            if not ctx.resilient_parsing:  # a shell asks in the middle of a word
                _refuse_typo(args[0])
            args = ["image", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return commands and options, and files, because FILE means `image FILE`."""
        found = super().shell_complete(ctx, incomplete)
        # First: bash forgets what comes before a file.
        return [CompletionItem(incomplete, type="file"), *found]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a MatteError ends it with one line."""
        with one_line_errors(), first_run_noted(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", MatteWarning)
            warnings.showwarning = _print_warnings_once()
            return super().invoke(ctx)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn MatteErrors into click's errors, which end the program with one line.

    Click's own errors become one line, too, and so does the want of memory, whoever says it; and
    Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Failure(InterruptedRunError("interrupted")) from None
    except MatteError as error:
        raise Failure(error) from error
    except NoArgsIsHelpError:
        raise  # its message is the help, of many lines
    except click.ClickException as error:
        error.message = printable(" ".join(error.message.split()))  # type: ignore[misc]  # final
        raise
    except Exception as error:
        if not is_memory_error(error):
            raise
        raise Failure(out_of_memory()) from error


def _refuse_typo(word: str) -> None:
    """Raise if a first word is neither a file nor an option: it is a mistyped command or name."""
    path = Path(word)
    exists = os.path.lexists(word)
    if word and not (word.startswith("-") or path.suffix or exists or is_store_address(word)):
        near = [*close_names(word, COMMANDS), *_near_files(word)]
        remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else "see matte --help"
        raise SettingError(f"no command, file or folder {word!r}", remedy)


def _near_files(word: str) -> list[str]:
    """Return the files and folders beside a path that is not there whose names are nearly its."""
    folder, name = os.path.split(word.rstrip("/"))
    try:
        with os.scandir(folder or ".") as found:
            beside = [entry.name for entry in islice(found, MAX_COMPARED_FILES)]
    except (OSError, ValueError):
        return []
    return [os.path.join(folder, near) for near in close_names(name, beside)]  # as typed


def _print_warnings_once() -> Callable[..., None]:
    """Return a printer of warnings that prints each text once, even for many pictures."""
    printed = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in printed:
            printed.add(str(message))
            click.echo(f"Warning: {message}", err=True)

    return show


@click.group(
    cls=MatteGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`matte [OPTIONS] FILE…` is short for `matte image [OPTIONS] FILE…`.",
)
@click.version_option(matte.__version__)
def main() -> None:
    """Cut people, animals and things out of photos, and people out of videos, with soft edges.

    They can be put on other backgrounds.
    """
