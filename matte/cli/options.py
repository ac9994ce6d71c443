"""Options and answers that several commands share."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from matte.cli.grouped import option
from matte.errors import BackendError, OutputError, SettingError, install_command, printable
from matte.stores.opening import is_store_address, split_address
from matte.stores.stored_file import StoredFile, stored_file

if TYPE_CHECKING:
    from matte.configs.settings import Config
    from matte.pipeline.networks import NetworkOpener

GROUND = "PICTURE|COLOUR|blur[:RADIUS]|transparent"  # what --bg takes
VIDEO_GROUND = GROUND.replace("|", "|VIDEO|", 1)  # what it takes for videos
FORMATS = ("png", "webp", "tif", "avif", "jpg", "bmp", "psd", "exr")  # of photos
F = TypeVar("F", bound=Callable[..., Any])


class FileName(click.Path):
    """A path of any kind: whether it can be read or written is found out later."""

    def __init__(self) -> None:
        super().__init__(readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse the empty name, which pathlib takes for the current folder."""
        if value == "":
            self.fail("an empty name", param, ctx)
        if isinstance(value, str) and is_store_address(value):
            split_address(value)  # says what is wrong with others
            remedy = "a store holds what 'matte image' and 'matte fleet' read, and their results"
            raise SettingError(f"{value} can't stand here", remedy)
        return super().convert(value, param, ctx)


class PlaceName(FileName):
    """A path, or the s3:// address of an object or a folder in a store."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a Path, or a StoredFile; nothing is asked of its store yet."""
        if isinstance(value, str) and is_store_address(value):
            return stored_file(value)
        return super().convert(value, param, ctx)


FILE = FileName()
PLACE = PlaceName()


def format_option(text: str) -> Callable[[F], F]:
    """Return a decorator that adds --format, with its help."""
    return option(
        "--format", "ending", type=click.Choice(FORMATS), group="Result", common=True, help=text
    )


def cut_out_options(command: F) -> F:
    """Add --crop and --premultiply to a command."""
    return crop_option(premultiply_option(command))


crop_option = option(
    "--crop",
    metavar="MARGIN",
    group="Result",
    common=True,
    help="Crop to the subject and a margin around it: 0, 20 (pixels) or 5% (of the subject).",
)
premultiply_option = option(
    "--premultiply",
    is_flag=True,
    group="Result",
    help="Write a cut-out's colours multiplied with alpha, as some video editors want them.",
)
subject_option = option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="WHICH[@TIME]",
    group="Subject and band",
    common=True,
    help="Which subject to follow, where there are several: all; largest; 2: the two largest;"
    " centre; at:X,Y: the one at this place; box:X,Y,W,H: what lies in it (in pixels, or"
    " percentages of width and height); mask:FILE: whom you have painted white there. May be given"
    " several times: at:30%,50%@1:02.5 counts from then on.  [default: all]",
)
PASSES = ("despill", "garbage_matte")
review_option = option(
    "--review",
    type=FILE,
    group="Stages in and out",
    help="Save a sheet of the moments in which it was doubtful whether the right subject was"
    " followed, as PNG.",
)
verbose_option = option(
    "-v",
    "--verbose",
    is_flag=True,
    group="Running",
    help="Print what ran on each picture, and how long it took.",
)
trimap_free_option = option(
    "--trimap-free",
    is_flag=True,
    group="Refining",
    help="Matte by the shipped MODNet, which needs neither mask nor trimap.",
)


def output_options(
    default: str, what: str = "File to write.", kind: FileName = FILE
) -> Callable[[F], F]:
    """Return a decorator that adds -o, --overwrite and --quiet.

    `default` says which name is used without -o; `kind` is FILE or PLACE.
    """

    def decorate(command: F) -> F:
        quiet = option(
            "-q",
            "--quiet",
            is_flag=True,
            group="Running",
            help="Don't print the names of the files that were written.",
        )
        overwrite = option(
            "--overwrite",
            is_flag=True,
            group="Result",
            common=True,
            help="Replace files that exist.",
        )
        output = option(
            "-o",
            "--output",
            type=kind,
            group="Result",
            common=True,
            help=f"{what}  [default: {default}]",
        )
        return output(overwrite(quiet(command)))

    return decorate


def pass_options(command: F) -> F:
    """Add the options of what is changed in frames that are matted, `PASSES`."""
    despill = option(
        "--despill",
        type=click.Choice(("green", "blue")),
        group="Result",
        help="Take the light of a green or blue screen from the subject's colours, no more.",
    )
    garbage_matte = option(
        "--garbage-matte",
        type=FILE,
        group="Stages in and out",
        help="A mask, white where the subject may be, or polygons (.json); elsewhere alpha is 0.",
    )
    return despill(garbage_matte(command))


def pack_options(name: str, *keys: str) -> Callable[[F], F]:
    """Return a decorator that gives several options to the command as one dictionary."""

    def decorate(command: F) -> F:
        @wraps(command)
        def with_packed(**arguments: Any) -> Any:
            packed = {key: arguments.pop(key) for key in keys}
            return command(**{name: packed}, **arguments)

        packing: Any = with_packed
        result: F = packing
        return result

    return decorate


def start_opening(config: "Config") -> "NetworkOpener":
    """Begin to open the networks of the settings, while the rest of the program is imported."""
    import cv2  # noqa: F401  # not while another thread loads a runtime: both are native code

    from matte.pipeline.networks import NetworkOpener

    return NetworkOpener(config)


@contextmanager
def torch_required(task: str) -> Iterator[None]:
    """Turn a missing package, within the block, into an error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("matte"):
            raise  # our bug
        raise BackendError(f"{task} needs {error.name}", install_command("train")) from error


def print_line(text: object, err: bool = False) -> None:
    """Print a text as one line, whatever the names in it hold."""
    click.echo(printable(text), err=err)


def echo_path(path: Path, err: bool = False) -> None:
    """Print a file's name: to programs the name itself, which may be no text."""
    stream = sys.stderr if err else sys.stdout
    shown = stream is not None and stream.isatty()
    click.echo(printable(path) if shown else os.fsencode(path), err=err)


def print_path(path: "Path | StoredFile", err: bool = False) -> None:
    """Print the name of a file or an object that was written."""
    try:
        if isinstance(path, StoredFile):
            print_line(path, err)
        else:
            echo_path(path, err)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read has enough; click ends quietly
        raise OutputError(f"can't print ({error.strerror})", "the files are written") from error


def path_beside(path: Path, ending: str) -> Path:
    """Return a name in the same folder: `photo.jpg` and `-alpha.png` give `photo-alpha.png`."""
    return path.parent / (path.stem + ending)
