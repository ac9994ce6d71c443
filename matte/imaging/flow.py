"""Optical flow between two frames, and what belongs to the previous frame warped along it.

T. Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, as OpenCV has it.
"""

from typing import Any, NewType

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image
from matte.imaging.resizing import PixelT, resize, resize_by_halving
from matte.imaging.sampling import positions_in_copy, sample_at

# (h, w, 2): for each pixel the steps x, y, in pixels, back to where it was in the previous frame
Flow = NewType("Flow", FloatArray)

FLOW_LONG_SIDE = 320  # pixels of the copies between which flow is searched
# Halvings of that copy at which the search ends. With 2, the preset's, a moved portrait's true
# alpha comes 0.13 wrong in its band, with 1 0.10, with 0 0.07, which takes 9 times as long.
FINE_HALVINGS = 1
ROUGH_HALVINGS = 2  # is enough to check it, in a quarter of the time
MIN_FLOW_SIDE = 32  # pixels that the search needs of the short side
# Pixels of the copy by which the way back and forth misses its start: right up to the first, wrong
# from the second on.
CONSISTENT_PIXELS, INCONSISTENT_PIXELS = 0.5, 1.5
# Levels, of 255, by which mean colours differ: the same up to the first, others from the second
# on. Noise of σ 4 makes the means over windows differ by 3.
SAME_LEVELS, OTHER_LEVELS = 5, 14
MEAN_WINDOW_SIDE = 3  # pixels, of the means that are compared
AGREEMENT_BY_LEVELS = np.clip(
    (OTHER_LEVELS - np.arange(256, dtype=np.float32)) / (OTHER_LEVELS - SAME_LEVELS), 0, 1
)


def flow_copy(image: Image) -> NDArray[np.uint8]:
    """Return the small 8-bit copy of a picture in which optical flow is searched.

    Its long side is `FLOW_LONG_SIDE`; smaller pictures keep their size.
    """
    height, width = image.shape[:2]
    share = min(1.0, FLOW_LONG_SIDE / max(height, width))
    small = resize_by_halving(image, max(1, round(height * share)), max(1, round(width * share)))
    return _eight_bits(small)


def backward_flow(
    current: NDArray[np.uint8], previous: NDArray[np.uint8], halvings: int = FINE_HALVINGS
) -> Flow:
    """Return the optical flow (h, w, 2) from the current frame back to the previous one.

    Both frames are flow copies (h, w, 3) of one size. Flow is searched down to copies that are
    halved `halvings` times: fewer are finer, and slower.
    Copies that are too small to be searched have no flow: it is zero everywhere.
    """
    if not min(current.shape[:2]) >= MIN_FLOW_SIDE:
        return Flow(np.zeros((*current.shape[:2], 2), np.float32))
    finder = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_ULTRAFAST)
    finder.setFinestScale(halvings)
    start: Any = None
    found = finder.calc(_grey(current), _grey(previous), start)
    return Flow(np.asarray(found, np.float32))


def warp(values: NDArray[PixelT], flow: Flow) -> NDArray[PixelT]:
    """Return values of the previous frame, (H, W) or (H, W, C), warped along the flow to this one.

    They may have any size; the flow is resized to theirs.
    """
    height, width = values.shape[:2]
    steps = resize(flow, height, width)
    scale_x, scale_y = np.float32(width / flow.shape[1]), np.float32(height / flow.shape[0])
    x = steps[:, :, 0] * scale_x + np.arange(width, dtype=np.float32)
    y = steps[:, :, 1] * scale_y + np.arange(height, dtype=np.float32)[:, None]
    warped = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, values.dtype)


def warp_labels(labels: NDArray[np.uint8], flow: Flow) -> NDArray[np.uint8]:
    """Return labels (h, w) of the previous frame, of the flow's size, warped to this one.

    No label is a mean of others; what comes in from outside the frame is 0.
    """
    height, width = labels.shape
    x = flow[:, :, 0] + np.arange(width, dtype=np.float32)
    y = flow[:, :, 1] + np.arange(height, dtype=np.float32)[:, None]
    warped = cv2.remap(labels, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(warped, np.uint8)


def source_positions(
    flow: FloatArray, indices: NDArray[np.intp], height: int, width: int
) -> tuple[FloatArray, FloatArray]:
    """Return where some pixels of a height × width picture were in the previous frame.

    The pixels are given by flat `indices`. `flow` (h, w, 2 + k) is a flow copy's; it may hold k
    more values for each pixel. The positions are (n, 2), x, y; the k values there come as (n, k).
    """
    y, x = (each.astype(np.float32) for each in np.divmod(indices, width))
    scale_x, scale_y = np.float32(width / flow.shape[1]), np.float32(height / flow.shape[0])
    found = sample_at(flow, positions_in_copy(x, y, scale_x, scale_y))
    positions = np.stack([x + found[:, 0] * scale_x, y + found[:, 1] * scale_y], axis=1)
    return positions, found[:, 2:]


def local_mean_colours(image: Image) -> NDArray[np.uint8]:
    """Return a picture as uint8 (H, W, 3), each pixel the mean of the small window around it.

    It is what colour_agreement() compares: noise hardly changes it.
    """
    side = MEAN_WINDOW_SIDE
    return np.asarray(cv2.blur(_eight_bits(image), (side, side)), np.uint8)


def colour_agreement(current: NDArray[np.uint8], previous: NDArray[np.uint8]) -> FloatArray:
    """Return how surely two arrays of local mean colours (…, 3) show the same thing.

    The result (…) is 0 where they surely don't, and 1 where they surely do.
    """
    difference = np.maximum(current, previous) - np.minimum(current, previous)
    largest = np.maximum(np.maximum(difference[..., 0], difference[..., 1]), difference[..., 2])
    return np.asarray(AGREEMENT_BY_LEVELS[largest], np.float32)


def flow_consistency(backward: Flow, forward: Flow) -> FloatArray:
    """Return how surely flow is right, 0 … 1 (h, w): whether back and forth ends at the start.

    `backward` leads from the current frame to the previous one, `forward` from that to the current
    one. Where they don't meet, a pixel is covered in one of the two, or the flow is wrong.
    """
    missed = backward + warp(forward, backward)
    distance = cv2.magnitude(missed[:, :, 0], missed[:, :, 1])
    tolerance = INCONSISTENT_PIXELS - CONSISTENT_PIXELS
    return np.asarray(np.clip((INCONSISTENT_PIXELS - distance) / tolerance, 0, 1), np.float32)


def _grey(copy: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an RGB picture in grey."""
    return np.asarray(cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY), np.uint8)


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an 8-bit picture itself, and a 16-bit one in 8 bits."""
    return image if image.dtype == np.uint8 else (image // 257).astype(np.uint8)
