"""Alpha from guided filters of shrinking radius: quick, and good where colours tell apart."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.imaging.guided_filter import GuidedWindows, guided_filter
from matte.imaging.regions import bounding_box, region_depth
from matte.imaging.resizing import resize

# Measured on portraits and on hair, against closed-form matting.
RADII = (2.0, 1.0, 0.5, 0.25)  # in depths of the band
WORKING_RADIUS = 12  # pixels; a wider window looks at a smaller picture
EPSILON = 1e-4
GUESS_WEIGHT = 0.05  # of what the wider window found, where a known pixel counts 1

Pixels = NDArray[np.uint8 | np.uint16]


class Guided:
    """Extends the known pixels into the band, wide windows first, each correcting the last."""

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        alpha = (trimap / np.float32(255)).astype(np.float32)
        unknown = trimap == UNKNOWN
        box = bounding_box(unknown)
        if box is None:
            return Alpha(alpha)
        depth = region_depth(unknown[box])
        box = bounding_box(unknown, margin=round(2 * depth) + 2)
        assert box is not None
        alpha[box] = _refine(image[box], alpha[box], unknown[box], depth)
        return Alpha(alpha)


def _refine(image: Pixels, known: FloatArray, unknown: BoolArray, depth: float) -> FloatArray:
    guide = (image / np.float32(np.iinfo(image.dtype).max)).astype(np.float32)
    weight = (~unknown).astype(np.float32)
    guessed = np.where(unknown, np.float32(GUESS_WEIGHT), np.float32(1))
    alpha, windows, before = known, None, 0
    for radius in RADII:
        pixels = max(2.0, radius * depth)
        near = min(round(pixels), WORKING_RADIUS)
        if pixels > WORKING_RADIUS:
            guess = _filter(guide, alpha, weight, unknown, pixels / WORKING_RADIUS)
        else:
            if windows is None or near != before:
                windows, before = GuidedWindows(guide, weight, unknown, near, EPSILON), near
            guess = windows.filter(alpha)
        alpha = np.where(unknown, np.clip(guess, 0, 1), known)
        if weight is not guessed:
            weight, windows = guessed, None
    return alpha


def _filter(
    guide: FloatArray,
    alpha: FloatArray,
    weight: FloatArray,
    unknown: BoolArray,
    shrink: float,
) -> FloatArray:
    """What windows so many times as wide as the widest that are worked with find."""
    height, width = alpha.shape
    small = max(1, round(height / shrink)), max(1, round(width / shrink))
    small_weight = resize(weight, *small)
    target = resize(alpha * weight, *small)
    target /= np.maximum(small_weight, np.float32(1e-6))
    # A small pixel that touches the band, and its neighbours, which upscaling reads.
    touching = (resize(unknown.astype(np.float32), *small) > 0).astype(np.uint8)
    region = cv2.dilate(touching, np.ones((5, 5), np.uint8)) > 0
    colours = resize(guide, *small)
    fitted = guided_filter(colours, target, small_weight, region, WORKING_RADIUS, EPSILON)
    return resize(fitted, height, width)
