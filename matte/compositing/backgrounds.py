"""What the user names behind the subject: a colour, a file, the photo's own background, nothing."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageColor

from matte.arrays import Image
from matte.configs.lengths import Length, parse_length
from matte.errors import SettingError, web_address_error
from matte.files import file_facts
from matte.registry import close_names

DEFAULT_BLUR_RADIUS = Length(2, percent=True)
# Endings of videos. A GIF is a picture, unless it lies behind a video.
FILM_SUFFIXES = frozenset(
    {
        ".3gp",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    }
)


@dataclass(frozen=True, slots=True)
class PlainColour:
    """One colour everywhere, RGB 0 … 255."""

    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture, which is still to be read."""

    path: Path


@dataclass(frozen=True, slots=True)
class FilmFile:
    """A video, which is still to be read."""

    path: Path


@dataclass(frozen=True, slots=True)
class Blur:
    """The photo's own background, out of focus; `radius` is that of a blurred point's disc."""

    radius: Length = DEFAULT_BLUR_RADIUS

    def __post_init__(self) -> None:
        if self.radius.value == 0:
            raise SettingError("a blur of 0", "give a radius above it, such as 30 or 3%")


@dataclass(frozen=True, slots=True)
class Transparent:
    """No background: a cut-out."""


Background = PlainColour | PictureFile | FilmFile | Blur | Transparent


def background_text(background: Any) -> str:
    """Return what Python calls a background, a text or a path, as text for `parse_background`."""
    if isinstance(background, str | os.PathLike):
        return str(os.fspath(background))
    raise SettingError(
        f"background = {background!r}",
        "give a file's name, 'blur', 'transparent', or a colour such as 'white' or '#205080'",
    )


def parse_background(text: str, films: bool = False) -> Background:
    """Return the background that the text of --bg names.

    A picture or a video, by its ending, if a file has the name or it ends as files do; else
    `transparent`, `blur`, `blur:RADIUS` (pixels, or a percentage of the long side), or a colour.
    With `films` errors offer videos, too; nothing else depends on it.
    """
    if os.path.isfile(text):  # noqa: PTH113  # False where pathlib raises: loops, long names
        return _file_background(Path(text))
    word, colon, radius = text.partition(":")
    if word == "blur":
        return Blur(parse_length(radius)) if colon else Blur()
    if text == "transparent":
        return Transparent()
    file = "picture or video" if films else "picture"
    if "://" in text:
        raise web_address_error(text, file)
    path, is_folder = Path(text), os.path.isdir(text)  # noqa: PTH112  # as above
    if path.suffix.lower() in FILM_SUFFIXES or (path.suffix and not is_folder):
        return _file_background(path)
    try:
        return PlainColour(_named_colour(text))
    except (ValueError, SettingError) as error:
        if is_folder:
            raise SettingError(f"background {text!r} is a folder", f"name one {file}") from error
        raise _no_colour(text, file) from error


def _file_background(path: Path) -> PictureFile | FilmFile:
    """Return the path as a video's or a picture's file, by its ending."""
    return FilmFile(path) if path.suffix.lower() in FILM_SUFFIXES else PictureFile(path)


def parse_colour(text: str) -> tuple[int, int, int]:
    """Return the RGB of a colour's name (`white`), `#rrggbb`, or `rgb(255, 255, 255)`."""
    try:
        return _named_colour(text)
    except (ValueError, SettingError) as error:
        raise _no_colour(text, "picture") from error


def _named_colour(text: str) -> tuple[int, int, int]:
    """Return a colour's RGB; raise ValueError or SettingError if the text is none."""
    return as_colour(ImageColor.getrgb(text))


def _no_colour(text: str, file: str) -> SettingError:
    """Return the error that a text names no background; `file` is the kind that it could name."""
    near = close_names(text.lower(), ("blur", "transparent", *ImageColor.colormap))
    meant = f"did you mean {' or '.join(map(repr, near))}? Else " if near else ""
    return SettingError(
        f"background {text!r} is neither a file nor a colour",
        f"{meant}give a {file}, 'blur', 'transparent', a name such as 'white', or '#rrggbb'",
    )


def as_colour(values: Any) -> tuple[int, int, int]:
    """Return three whole numbers 0 … 255 as an RGB colour; raise SettingError for other values."""
    numbers = np.asarray(values)
    if (
        numbers.shape != (3,)
        or numbers.dtype.kind not in "iu"
        or not ((numbers >= 0) & (numbers <= 255)).all()
    ):
        raise SettingError(f"{values!r} is not a colour", "give three whole numbers 0 … 255")
    red, green, blue = (int(n) for n in numbers)
    return red, green, blue


def colour_pixel(rgb: tuple[int, int, int]) -> Image:
    """Return the colour as a picture of one pixel (1, 1, 3), 8 bits."""
    return Image(np.full((1, 1, 3), rgb, np.uint8))


def background_facts(background: Background) -> dict[str, Any] | str:
    """Return a background as JSON values for a report: file and SHA-256, colour, or blur."""
    if isinstance(background, PictureFile | FilmFile):
        return file_facts(background.path)
    if isinstance(background, PlainColour):
        return {"colour": background.rgb}
    return {"blur": str(background.radius)} if isinstance(background, Blur) else "transparent"
