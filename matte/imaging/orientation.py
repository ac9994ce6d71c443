"""Pictures turned as their cameras were held."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

TAG = 0x0112  # of EXIF


def orientation(picture: Pillow.Image) -> int:
    """The EXIF orientation, 1 … 8; 1, upright, where there is none that can be read."""
    try:
        found = picture.getexif().get(TAG, 1)
    # What Pillow raises for damaged EXIF data.
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture (H, W) or (H, W, C) turned and mirrored as its EXIF orientation says."""
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
