"""Arrays brought to another size."""

from collections.abc import Callable
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

# Returns an array, (H, W) or (H, W, C), at another height and width.
Resize = Callable[[NDArray[Any], int, int], NDArray[Any]]

PixelT = TypeVar("PixelT", bound=np.integer[Any] | np.floating[Any])


def scaled_size(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Return the height and width of an array `scale` times as large: one pixel at least."""
    height, width = (max(1, round(side * scale)) for side in shape[:2])
    return height, width


def resize(values: NDArray[PixelT], height: int, width: int) -> NDArray[PixelT]:
    """Return an array, (H, W) or (H, W, C), resized to height × width.

    It is averaged over areas where it shrinks, and interpolated linearly where it grows.
    """
    shrinks = height < values.shape[0] or width < values.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (width, height), interpolation=method), values.dtype)


def resize_by_halving(values: NDArray[PixelT], height: int, width: int) -> NDArray[PixelT]:
    """Return nearly what resize() does, several times as fast where the array shrinks.

    It is halved as often as possible first, which OpenCV does quickly. Where halving alone leads
    to the size, the results are the same to within rounding.
    """
    while can_halve(values.shape, (height, width)):
        values = resize(values, values.shape[0] // 2, values.shape[1] // 2)
    return resize(values, height, width)


def can_halve(shape: tuple[int, ...], min_shape: tuple[int, int]) -> bool:
    """Return whether height and width are even, with halves no smaller than `min_shape`."""
    return all(n % 2 == 0 and n >= 2 * m for n, m in zip(shape[:2], min_shape, strict=True))
