"""Confidence at a large picture's size, its edge where the picture has one."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Confidence, FloatArray, Image
from matte.imaging.guided_filter import local_linear_coefficients
from matte.imaging.letterbox import Letterbox
from matte.imaging.resizing import resize

# Measured on portraits with true alpha: docs/decisions/0019.
FINER = 4  # times the network's size: there the edge is sought
RADIUS = 2  # of the windows in which colours tell the subject, in the network's pixels
EPSILON = 1e-4
SURE = np.float32(0.01)  # nearer than this to 0 or 1 nothing is sought
BLOCK = 32  # of the network's pixels to a side: what is worked on at once

Block = tuple[slice, slice]


def sharpened(values: FloatArray, box: Letterbox, image: Image) -> Confidence:
    """The network's map (h, w) of a letterboxed picture, at the picture's size.

    Where neighbours disagree, its logit becomes a locally linear function of the colours, seen
    `FINER` times as finely as the network saw them. No value leaves the range of its neighbours in
    the map, and none gets less sure on its side of one half than interpolation has it.
    """
    height, width = values.shape
    square = np.ones((3, 3), np.uint8)
    least, most = cv2.erode(values, square), cv2.dilate(values, square)
    region = (most > SURE) & (least < 1 - SURE)
    known = np.clip(values, SURE, 1 - SURE)
    # A pixel more around, as enlarging mixes neighbours.
    around = cv2.dilate(region.astype(np.uint8), square) > 0
    picture = box.pixels[:height, :width]
    lines = local_linear_coefficients(picture, np.log(known / (1 - known)), around, RADIUS, EPSILON)
    told = (*cv2.split(lines), least, most)
    finer = resize(values, FINER * height, FINER * width)
    # Sampled, not averaged: that takes a tenth of the time, and `lines` know averages.
    colours = cv2.split(cv2.resize(image, (FINER * width, FINER * height)))
    full = np.float32(np.iinfo(image.dtype).max)
    for block in _blocks(region):
        large = (_times(block[0]), _times(block[1]))
        *slopes, logit, low, high = (_enlarged(plane, block) for plane in told)
        for slope, colour in zip(slopes, colours, strict=True):
            logit += slope * (colour[large] / full - np.float32(0.5))
        found = np.clip((1 + np.tanh(logit / 2)) / 2, low, high)  # the logistic function
        plain = finer[large]
        finer[large] = np.where(found < 0.5, np.minimum(found, plain), np.maximum(found, plain))
    return Confidence(resize(finer, *image.shape[:2]))


def _blocks(region: NDArray[np.bool_]) -> Iterator[Block]:
    """Squares that hold all that is True."""
    height, width = region.shape
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            block = slice(top, min(top + BLOCK, height)), slice(left, min(left + BLOCK, width))
            if region[block].any():
                yield block


def _times(part: slice) -> slice:
    return slice(FINER * part.start, FINER * part.stop)


def _enlarged(values: NDArray[Any], block: Block) -> FloatArray:
    """The block's part of (H, W), interpolated as if all had been."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in block)
    above, before = max(0, top - 1), max(0, left - 1)
    seen = values[above : bottom + 1, before : right + 1]
    large = resize(seen, FINER * seen.shape[0], FINER * seen.shape[1])
    return large[_times(slice(top - above, bottom - above))][
        :, _times(slice(left - before, right - before))
    ]
