"""Values between the pixels of an array, at a list of positions."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.resizing import PixelT

MAX_ROW_POSITIONS = 1024  # cv2.remap() takes no more than 32767 pixels in a row
HALF_PIXEL = np.float32(0.5)


def sample_at(
    values: NDArray[PixelT], positions: FloatArray, sharp: bool = False
) -> NDArray[PixelT]:
    """Return the interpolated values at positions (n, 2), x, y, between an array's pixels.

    (n,) of an array (H, W), (n, C) of an array (H, W, C). With `sharp`, the interpolation is cubic:
    what is sampled again and again blurs less, and may overshoot.
    """
    count = len(positions)
    if not count:
        return np.empty((0, *values.shape[2:]), values.dtype)
    rows = np.zeros((-(-count // MAX_ROW_POSITIONS), MAX_ROW_POSITIONS, 2), np.float32)
    rows.reshape(-1, 2)[:count] = positions
    no_second_map: Any = None
    method = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    found = cv2.remap(values, rows, no_second_map, method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, *values.shape[2:])[:count], values.dtype)


def positions_in_copy(
    x: FloatArray, y: FloatArray, scale_x: float | np.float32, scale_y: float | np.float32
) -> FloatArray:
    """Return where pixels of a picture lie in its smaller copy, as positions (n, 2), x, y.

    `x` and `y` (n,) are the pixels' columns and rows; the copy is `scale_x` times narrower and
    `scale_y` times lower than the picture.
    """
    sides = (x, np.float32(scale_x)), (y, np.float32(scale_y))
    return np.stack([(place + HALF_PIXEL) / side - HALF_PIXEL for place, side in sides], axis=1)
