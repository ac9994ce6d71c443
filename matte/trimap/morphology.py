"""The unknown band between the eroded and the dilated mask."""

import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Mask, Trimap
from matte.configs.settings import TrimapSettings
from matte.errors import MatteWarning
from matte.imaging.regions import bounding_box

KERNEL_SHAPES = {"ellipse": cv2.MORPH_ELLIPSE, "rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS}


def kernel_band(mask: Mask, settings: TrimapSettings) -> Trimap:
    """Return subject where the eroded mask is, background outside the dilated mask, else unknown.

    Erosion and dilation repeat with a k × k kernel anchored at (k // 2, k // 2): with an even k the
    band is half a kernel wider on one side.
    """
    k = settings.k
    assert isinstance(k, int)
    if k % 2 == 0:
        warnings.warn(
            f"the kernel k = {k} is even, so the band is lopsided: use {k - 1} or {k + 1}",
            MatteWarning,
            stacklevel=2,
        )
    kernel = cv2.getStructuringElement(KERNEL_SHAPES[settings.shape], (k, k))
    inwards, outwards = settings.repetitions
    # Beyond the subject's reach all is background, and stays it.
    box = bounding_box(mask != BACKGROUND, margin=k * max(inwards, outwards))
    trimap = np.full(mask.shape, BACKGROUND, np.uint8)
    if box is None:
        return Trimap(trimap)
    part, band = Mask(mask[box]), trimap[box]
    band[:] = UNKNOWN
    # One after the other: large pictures have no room for both.
    for operation, times, level in (
        (cv2.erode, inwards, SUBJECT),
        (cv2.dilate, outwards, BACKGROUND),
    ):
        np.copyto(band, np.uint8(level), where=_repeat(operation, part, kernel, times) == level)
    return Trimap(trimap)


def _repeat(
    operation: Callable[..., Any], mask: Mask, kernel: NDArray[Any], iterations: int
) -> NDArray[np.uint8]:
    """Return the mask after repeating the operation, stopped early once nothing changes.

    OpenCV's own repetition joins those of a square kernel into one of their common size.
    """
    values: NDArray[np.uint8] = mask
    for _ in range(iterations):
        after = operation(values, kernel)
        if not cv2.norm(values, after, cv2.NORM_INF):
            break
        values = after
    return values
