"""Arrays brought to another size."""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", bound=np.integer[Any] | np.floating[Any])


def scaled(values: NDArray[Pixel], height: int, width: int) -> NDArray[Pixel]:
    """The array at height × width: averaged where it shrinks, interpolated where it grows."""
    shrinks = height < values.shape[0] or width < values.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (width, height), interpolation=method), values.dtype)
