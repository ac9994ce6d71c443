"""Where the parts of a picture were in the one before, and what was known of them brought along.

T. Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, as OpenCV has it.
"""

from typing import Any, NewType

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image
from matte.imaging.points import sampled, within
from matte.imaging.scaling import Pixel, scaled, shrunk_quickly

Flow = NewType("Flow", FloatArray)  # (h, w, 2): steps x, y back to the frame before, in its pixels

SIDE = 320  # long side of the copies in which flow is found
# Halvings of that copy at which the search ends. With 2, the preset's, a moved portrait's true
# alpha comes 0.13 wrong in its band, with 1 0.10, with 0 0.07, which takes 9 times as long.
FINEST = 1
ROUGH = 2  # is enough to check it, in a quarter of the time
LEAST = 32  # pixels that the search needs of the short side
MET, LOST = 0.5, 1.5  # pixels of the copy that the way there and back misses by: right, and wrong
# How far colours, of 255, may be apart: all the same, and no longer the same. Noise of σ 4 makes
# the means over windows differ by 3.
SAME, OTHER = 5, 14
WINDOW = 3  # pixels, of the means that are compared
AGREEMENTS = np.clip((OTHER - np.arange(256, dtype=np.float32)) / (OTHER - SAME), 0, 1)


def small_copy(image: Image) -> NDArray[np.uint8]:
    """The picture as uint8 with a long side of `SIDE`, or as it is where it is smaller."""
    height, width = image.shape[:2]
    share = min(1.0, SIDE / max(height, width))
    small = shrunk_quickly(image, max(1, round(height * share)), max(1, round(width * share)))
    return _eight_bits(small)


def flow_back(now: NDArray[np.uint8], before: NDArray[np.uint8], finest: int = FINEST) -> Flow:
    """For each pixel of `now` the way to where it was in `before`; both (h, w, 3), small copies.

    The search ends at so many halvings of them. Copies that are too small have no flow: all zero.
    """
    if not min(now.shape[:2]) >= LEAST:
        return Flow(np.zeros((*now.shape[:2], 2), np.float32))
    finder = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_ULTRAFAST)
    finder.setFinestScale(finest)
    start: Any = None
    found = finder.calc(_grey(now), _grey(before), start)
    return Flow(np.asarray(found, np.float32))


def carried(values: NDArray[Pixel], flow: Flow) -> NDArray[Pixel]:
    """What was known of the picture before, (H, W) or (H, W, C) at any size, where it is now."""
    height, width = values.shape[:2]
    steps = scaled(flow, height, width)
    across, down = np.float32(width / flow.shape[1]), np.float32(height / flow.shape[0])
    x = steps[:, :, 0] * across + np.arange(width, dtype=np.float32)
    y = steps[:, :, 1] * down + np.arange(height, dtype=np.float32)[:, None]
    warped = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, values.dtype)


def sources(
    flow: FloatArray, at: NDArray[np.intp], height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    """Where pixels of a height × width picture, by flat indices, were: (n, 2), x, y; and what the
    small copy's `flow` (h, w, 2 + k) has behind its steps, there: (n, k).
    """
    y, x = (each.astype(np.float32) for each in np.divmod(at, width))
    across, down = np.float32(width / flow.shape[1]), np.float32(height / flow.shape[0])
    found = sampled(flow, within(x, y, across, down))
    return np.stack([x + found[:, 0] * across, y + found[:, 1] * down], axis=1), found[:, 2:]


def windows(image: Image) -> NDArray[np.uint8]:
    """What agreement() compares: the picture as uint8, the mean of the window around each pixel."""
    return np.asarray(cv2.blur(_eight_bits(image), (WINDOW, WINDOW)), np.uint8)


def agreement(now: NDArray[np.uint8], before: NDArray[np.uint8]) -> FloatArray:
    """How surely colours (…, 3) show the same thing: 0 surely not … 1 surely."""
    apart = np.maximum(now, before) - np.minimum(now, before)
    most = np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2])
    return np.asarray(AGREEMENTS[most], np.float32)


def returns(flow: Flow, forth: Flow) -> FloatArray:
    """How surely the way back meets the way forth, 0 … 1: where it doesn't, something covers it in
    one of the pictures, or the flow is wrong. `forth` leads from the picture before to this one.
    """
    missed = flow + carried(forth, flow)
    distance = cv2.magnitude(missed[:, :, 0], missed[:, :, 1])
    return np.asarray(np.clip((LOST - distance) / (LOST - MET), 0, 1), np.float32)


def mean_flow(flow: Flow, weight: FloatArray | None = None) -> float:
    """How far the parts of the picture moved, in shares of its long side: the mean over all, or
    counted by a weight at the flow's size, such as where the subject is; 0 where it has none.
    """
    lengths = cv2.magnitude(flow[:, :, 0], flow[:, :, 1]) / np.float32(max(flow.shape[:2]))
    if weight is None:
        return float(lengths.mean())
    total = float(weight.sum())
    return float((lengths * weight).sum()) / total if total > 0 else 0.0


def _grey(copy: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY), np.uint8)


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    return image if image.dtype == np.uint8 else (image // 257).astype(np.uint8)
