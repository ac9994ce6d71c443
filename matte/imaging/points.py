"""Values between pixels, at a list of places."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.scaling import Pixel

ROW = 1024  # remap() takes no more than 32767 pixels in a row
HALF = np.float32(0.5)


def sampled(values: NDArray[Pixel], places: FloatArray, sharp: bool = False) -> NDArray[Pixel]:
    """The values at places (n, 2) between the pixels: (n,) of (H, W), (n, C) of (H, W, C).

    `sharp`: what is sampled again and again blurs less, and may overshoot.
    """
    count = len(places)
    if not count:
        return np.empty((0, *values.shape[2:]), values.dtype)
    rows = np.zeros((-(-count // ROW), ROW, 2), np.float32)
    rows.reshape(-1, 2)[:count] = places
    nothing: Any = None
    method = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    found = cv2.remap(values, rows, nothing, method, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, *values.shape[2:])[:count], values.dtype)


def within(
    x: FloatArray, y: FloatArray, across: float | np.float32, down: float | np.float32
) -> FloatArray:
    """The places (n, 2) of pixels of a larger picture in a copy, so many times smaller."""
    sides = (x, np.float32(across)), (y, np.float32(down))
    return np.stack([(place + HALF) / side - HALF for place, side in sides], axis=1)
