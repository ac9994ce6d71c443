"""Stored values and the light that they stand for.

The transfer curves are those of sRGB, IEC 61966-2-1, and of HDR video, ITU-R BT.2100: PQ, whose
light is a share of 10,000 cd/m², and HLG, whose light is a share of the scene's brightest.
"""

from functools import cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image

Curve = Literal["srgb", "pq", "hlg"]
# BT.2100's constants, by its names.
M1, M2 = 0.1593017578125, 78.84375
C1, C2, C3 = 0.8359375, 18.8515625, 18.6875
HLG_A, HLG_B, HLG_C = 0.17883277, 0.28466892, 0.55991073


def to_light(values: NDArray[np.uint8 | np.uint16], curve: Curve = "srgb") -> FloatArray:
    """Return the share of full light, 0 … 1, that each stored value stands for."""
    table = _light_table(values.dtype, curve)
    if values.dtype == np.uint8 and values.ndim > 1:
        return np.asarray(cv2.LUT(values, table), np.float32)
    return table[values]  # twice as fast as take


def to_values(light: FloatArray, dtype: np.dtype[Any], curve: Curve = "srgb") -> Image:
    """Return the stored values that are nearest to the light, which is cut to 0 … 1."""
    share = encode_light(np.clip(light, 0, 1), curve)
    return Image(np.rint(share * np.iinfo(dtype).max).astype(dtype))


def encode_light(light: NDArray[np.floating[Any]], curve: Curve) -> NDArray[np.floating[Any]]:
    """Return the share of the highest value, 0 … 1, as which light 0 … 1 is stored."""
    if curve == "pq":
        power = light**M1
        return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2)
    if curve == "hlg":
        high = HLG_A * np.log(np.maximum(12 * light - HLG_B, 1e-6)) + HLG_C
        return np.asarray(np.where(light <= 1 / 12, np.sqrt(3 * light), high))
    high = 1.055 * light ** (1 / 2.4) - 0.055
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, high))


def decode_light(share: NDArray[np.floating[Any]], curve: Curve) -> NDArray[np.floating[Any]]:
    """Return the light 0 … 1 of a share of the highest value, 0 … 1."""
    if curve == "pq":
        power = share ** (1 / M2)
        return np.asarray((np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1))
    if curve == "hlg":
        high = (np.exp((share - HLG_C) / HLG_A) + HLG_B) / 12
        return np.asarray(np.where(share <= 0.5, share**2 / 3, high))
    return np.asarray(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4))


@cache
def _light_table(dtype: np.dtype[Any], curve: Curve) -> FloatArray:
    """Return the light of every value of the dtype."""
    share = np.arange(np.iinfo(dtype).max + 1) / np.iinfo(dtype).max
    table = decode_light(share, curve).astype(np.float32)
    table.setflags(write=False)
    return table
