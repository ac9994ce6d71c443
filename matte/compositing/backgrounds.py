"""What the subject is put on: a colour, or a picture cut to fit."""

from typing import Any

import numpy as np
from PIL import ImageColor

from matte.arrays import Image
from matte.errors import SettingError
from matte.imaging.scaling import scaled


def colour(text: str) -> tuple[int, int, int]:
    """The RGB of a colour's name (`white`), `#rrggbb`, or `rgb(255, 255, 255)`."""
    try:
        return as_colour(ImageColor.getrgb(text))
    except (ValueError, SettingError) as error:
        raise SettingError(
            f"background {text!r} is neither a file nor a colour",
            "give a picture, a name such as 'white', or '#rrggbb'",
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


def plain(rgb: tuple[int, int, int], height: int, width: int) -> Image:
    """A picture of one colour."""
    return Image(np.full((height, width, 3), rgb, np.uint8))


def cover(picture: Image, height: int, width: int) -> Image:
    """The middle of the picture that has the shape of height × width, scaled to that size."""
    rows, columns = picture.shape[:2]
    h = min(rows, max(1, round(columns * height / width)))
    w = min(columns, max(1, round(rows * width / height)))
    top, left = (rows - h) // 2, (columns - w) // 2
    return Image(scaled(picture[top : top + h, left : left + w], height, width))
