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


def shrunk_quickly(values: NDArray[Pixel], height: int, width: int) -> NDArray[Pixel]:
    """As scaled(), to within rounding: halved as often as possible, which OpenCV does several times
    as fast.
    """
    while can_halve(values.shape, (height, width)):
        values = scaled(values, values.shape[0] // 2, values.shape[1] // 2)
    return scaled(values, height, width)


def can_halve(shape: tuple[int, ...], least: tuple[int, int]) -> bool:
    """Whether height and width can be halved, and stay at least as large as that."""
    return all(n % 2 == 0 and n >= 2 * m for n, m in zip(shape[:2], least, strict=True))
