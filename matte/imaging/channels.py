"""Colours channel by channel."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.imaging.strips import strips


def for_each(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares of any shape as (N, 3): numpy is slow where it has to repeat them itself."""
    return np.repeat(shares, 3).reshape(-1, 3)


def blue_first(array: NDArray[Any], out: NDArray[Any]) -> NDArray[Any]:
    """RGB as BGR, RGBA as BGRA, or the other way round, put into `out`: may be the array itself."""
    code = cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    for part in strips(*array.shape[:2]):
        out[part] = cv2.cvtColor(array[part], code)
    return out
