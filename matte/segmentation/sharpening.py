"""The edges of a confidence map, sharpened along the edges of a large picture."""

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
SUPERSAMPLING = 4  # times the network's size, at which edges are sharpened
RADIUS = 2  # of the windows in which confidence is fitted to the colours, in the network's pixels
EPSILON = 1e-4
SURE_DISTANCE = np.float32(0.01)  # of confidence from 0 or 1, within which there is no edge
BLOCK = 32  # of the network's pixels to a side, which are worked on at once

Block = tuple[slice, slice]


def sharpen_edges(
    values: FloatArray, box: Letterbox, image: Image, size: tuple[int, int]
) -> Confidence:
    """Return the network's map (h, w) of a letterboxed picture, at `size`: height and width.

    Where neighbours disagree, the map's logit becomes a locally linear function of the colours at
    `SUPERSAMPLING` times the network's size. No value leaves the range of its neighbours in the
    map, and none is less sure on its side of one half than interpolation would make it.
    """
    height, width = values.shape
    square = np.ones((3, 3), np.uint8)
    least, most = cv2.erode(values, square), cv2.dilate(values, square)
    region = (most > SURE_DISTANCE) & (least < 1 - SURE_DISTANCE)
    known = np.clip(values, SURE_DISTANCE, 1 - SURE_DISTANCE)
    # A pixel more around, as enlarging mixes neighbours.
    around = cv2.dilate(region.astype(np.uint8), square) > 0
    picture = box.pixels[:height, :width]
    lines = local_linear_coefficients(picture, np.log(known / (1 - known)), around, RADIUS, EPSILON)
    planes = (*cv2.split(lines), least, most)
    finer = resize(values, SUPERSAMPLING * height, SUPERSAMPLING * width)
    # Sampled, not averaged: that takes a tenth of the time, and `lines` know averages.
    colours = cv2.split(cv2.resize(image, (SUPERSAMPLING * width, SUPERSAMPLING * height)))
    full = np.float32(np.iinfo(image.dtype).max)
    for block in _blocks_around(region):
        large = (_supersample_slice(block[0]), _supersample_slice(block[1]))
        *slopes, logit, low, high = (_upsample_block(plane, block) for plane in planes)
        for slope, colour in zip(slopes, colours, strict=True):
            logit += slope * (colour[large] / full - np.float32(0.5))
        found = np.clip((1 + np.tanh(logit / 2)) / 2, low, high)  # the logistic function
        plain = finer[large]
        finer[large] = np.where(found < 0.5, np.minimum(found, plain), np.maximum(found, plain))
    return Confidence(resize(finer, *size))


def _blocks_around(region: NDArray[np.bool_]) -> Iterator[Block]:
    """Yield squares that together hold the region."""
    height, width = region.shape
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            block = slice(top, min(top + BLOCK, height)), slice(left, min(left + BLOCK, width))
            if region[block].any():
                yield block


def _supersample_slice(part: slice) -> slice:
    """Return the part of the supersampled map for a part of the network's map."""
    return slice(SUPERSAMPLING * part.start, SUPERSAMPLING * part.stop)


def _upsample_block(values: NDArray[Any], block: Block) -> FloatArray:
    """Return the block's part of values (H, W), interpolated as if the whole had been."""
    (top, bottom), (left, right) = ((part.start, part.stop) for part in block)
    above, before = max(0, top - 1), max(0, left - 1)
    part = values[above : bottom + 1, before : right + 1]
    large = resize(part, SUPERSAMPLING * part.shape[0], SUPERSAMPLING * part.shape[1])
    return large[_supersample_slice(slice(top - above, bottom - above))][
        :, _supersample_slice(slice(left - before, right - before))
    ]
