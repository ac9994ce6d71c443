"""What the subject is put on: a colour, or a picture cut to fit."""

import numpy as np
from PIL import ImageColor

from matte.arrays import Image
from matte.errors import SettingError
from matte.imaging.scaling import scaled


def colour(text: str) -> tuple[int, int, int]:
    """The RGB of a colour's name (`white`), `#rrggbb`, or `rgb(255, 255, 255)`."""
    try:
        rgb = ImageColor.getrgb(text)
    except ValueError as error:
        raise SettingError(
            f"background {text!r} is neither a file nor a colour",
            "give a picture, a name such as 'white', or '#rrggbb'",
        ) from error
    if len(rgb) != 3:
        raise SettingError(f"background {text!r} has an alpha", "give an opaque colour")
    return rgb


def plain(rgb: tuple[int, int, int], height: int, width: int) -> Image:
    """A picture of one colour."""
    return Image(np.full((height, width, 3), rgb, np.uint8))


def cover(picture: Image, height: int, width: int) -> Image:
    """The picture scaled to cover height × width, its middle cut out."""
    scale = max(height / picture.shape[0], width / picture.shape[1])
    h = max(height, round(picture.shape[0] * scale))
    w = max(width, round(picture.shape[1] * scale))
    top, left = (h - height) // 2, (w - width) // 2
    return Image(scaled(picture, h, w)[top : top + height, left : left + width])
