"""Stored values and the light that they stand for.

The transfer curve is that of sRGB, IEC 61966-2-1.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image


def to_light(values: NDArray[np.uint8 | np.uint16]) -> FloatArray:
    """Return the share of full light, 0 … 1, that each stored value stands for."""
    table = _light_table(values.dtype)
    if values.dtype == np.uint8 and values.ndim > 1:
        return np.asarray(cv2.LUT(values, table), np.float32)
    return np.take(table, values)


def to_values(light: FloatArray, dtype: np.dtype[Any]) -> Image:
    """Return the stored values that are nearest to the light, which is cut to 0 … 1."""
    share = np.clip(light, 0, 1)
    curve = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)
    return Image(np.rint(curve * np.iinfo(dtype).max).astype(dtype))


@cache
def _light_table(dtype: np.dtype[Any]) -> FloatArray:
    """Return the light of every value of the dtype."""
    share = np.arange(np.iinfo(dtype).max + 1) / np.iinfo(dtype).max
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    table = light.astype(np.float32)
    table.setflags(write=False)
    return table
