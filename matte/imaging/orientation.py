"""The EXIF orientation of pictures, and pictures turned upright by it."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

ORIENTATION_TAG = 0x0112  # of EXIF


def exif_orientation(picture: Pillow.Image) -> int:
    """Return a picture's EXIF orientation, 1 … 8; 1, upright, where none can be read."""
    try:
        found = picture.getexif().get(ORIENTATION_TAG, 1)
    # What Pillow raises for damaged EXIF data.
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def turn_upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return a picture, (H, W) or (H, W, C), turned and mirrored as its EXIF orientation says."""
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
