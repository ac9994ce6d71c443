"""What the subject is put on, as it is named: colour, picture, film, its own ground, nothing."""

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageColor

from matte.arrays import Image
from matte.configs.lengths import Length, parse_length
from matte.errors import SettingError

BLURRED = Length(2, percent=True)
# Endings of videos. A GIF is a picture, unless it lies behind a video.
FILMS = frozenset(
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
class Colour:
    """A plain ground, RGB 0 … 255."""

    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, which has still to be read."""

    path: Path


@dataclass(frozen=True, slots=True)
class Film:
    """A video, which has still to be read."""

    path: Path


@dataclass(frozen=True, slots=True)
class Blur:
    """The photo's own ground, out of focus."""

    radius: Length = BLURRED

    def __post_init__(self) -> None:
        if self.radius.value == 0:
            raise SettingError("a blur of 0", "give a radius above it, such as 30 or 3%")


@dataclass(frozen=True, slots=True)
class Transparent:
    """No ground: a cut-out."""


Background = Colour | Picture | Film | Blur | Transparent


def parse_background(text: str) -> Background:
    """What the text names: a picture or a film, by its ending, if a file has the name or it ends as
    files do; else `transparent`, `blur`, `blur:RADIUS` (pixels, or a percentage of the long side),
    or a colour.
    """
    if os.path.isfile(text):  # noqa: PTH113  # False where pathlib raises: loops, long names
        return _file(Path(text))
    word, colon, radius = text.partition(":")
    if word == "blur":
        return Blur(parse_length(radius)) if colon else Blur()
    if text == "transparent":
        return Transparent()
    return _file(Path(text)) if Path(text).suffix else Colour(colour(text))


def _file(path: Path) -> Picture | Film:
    return Film(path) if path.suffix.lower() in FILMS else Picture(path)


def colour(text: str) -> tuple[int, int, int]:
    """The RGB of a colour's name (`white`), `#rrggbb`, or `rgb(255, 255, 255)`."""
    try:
        return as_colour(ImageColor.getrgb(text))
    except (ValueError, SettingError) as error:
        raise SettingError(
            f"background {text!r} is neither a file nor a colour",
            "give a picture, 'blur', 'transparent', a name such as 'white', or '#rrggbb'",
        ) from error


def as_colour(values: Any) -> tuple[int, int, int]:
    """Three whole numbers 0 … 255 as a colour."""
    numbers = np.asarray(values)
    if (
        numbers.shape != (3,)
        or numbers.dtype.kind not in "iu"
        or not ((numbers >= 0) & (numbers <= 255)).all()
    ):
        raise SettingError(f"{values!r} is not a colour", "give three whole numbers 0 … 255")
    red, green, blue = (int(n) for n in numbers)
    return red, green, blue


def plain(rgb: tuple[int, int, int]) -> Image:
    """A picture of one colour: a pixel."""
    return Image(np.full((1, 1, 3), rgb, np.uint8))
