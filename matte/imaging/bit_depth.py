"""Pictures of 8 and of 16 bits."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha
from matte.imaging.strips import strip_slices


def convert_depth(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a picture in `dtype`, its values scaled from one full range to the other.

    Both types are uint8 or uint16. Where they are the same, the array itself comes back.
    """
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return np.asarray(np.multiply(values, np.uint16(257), dtype=np.uint16))
    return np.asarray(cv2.convertScaleAbs(values, alpha=1 / 257), np.uint8)


def quantise_alpha(alpha: Alpha, dtype: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    """Return alpha 0 … 1 rounded to the full range of `dtype`."""
    out, top = np.empty(alpha.shape, dtype), np.float32(np.iinfo(dtype).max)
    for rows in strip_slices(*alpha.shape):
        np.rint(alpha[rows] * top, out=out[rows], casting="unsafe")
    return out
