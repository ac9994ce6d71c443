"""Means over square windows."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray


def box_mean(values: NDArray[Any], radius: int) -> FloatArray:
    """Return the mean over the (2 radius + 1)² window around each pixel, borders mirrored.

    `values` are (H, W) or (H, W, C); so is the result, in float32.
    """
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
