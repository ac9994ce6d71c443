"""Pictures of 8 and of 16 bits."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def in_depth(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The same shares of full range in `dtype`, uint8 or uint16, as in the one or the other."""
    if values.dtype == dtype:
        return values
    if dtype == np.uint16:
        return np.asarray(np.multiply(values, np.uint16(257), dtype=np.uint16))
    return np.asarray(cv2.convertScaleAbs(values, alpha=1 / 257), np.uint8)
