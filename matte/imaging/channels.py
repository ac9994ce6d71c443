"""The colour channels of pictures."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.strips import strip_slices


def repeat_per_channel(values: FloatArray) -> FloatArray:
    """Return values of any shape as (N, 3), each of the N three times: once for each colour.

    numpy broadcasts (N, 1) to (N, 3) more slowly than it calculates with this copy.
    """
    if not values.size:
        return np.empty((0, 3), values.dtype)
    return np.asarray(cv2.merge([values.reshape(-1, 1)] * 3), values.dtype).reshape(-1, 3)


def swap_red_and_blue(array: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """Write RGB as BGR, or RGBA as BGRA, or the other way round, into `out`, and return that.

    `array` is (H, W, 3) or (H, W, 4); `out` has the same shape, and may be the array itself.
    """
    code = cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    for part in strip_slices(*array.shape[:2]):
        out[part] = cv2.cvtColor(array[part], code)
    return out
