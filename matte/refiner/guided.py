"""A refiner of guided filters with shrinking radius: quick, good where colours differ."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.imaging.guided_filter import GuidedWindows, guided_filter
from matte.imaging.regions import bounding_box, region_depth
from matte.imaging.resizing import resize
from matte.stages import NO_CONTEXT, RefineContext, Refined

# Measured on portraits and on hair, against closed-form matting.
RADII = (2.0, 1.0, 0.5, 0.25)  # in depths of the unknown band
MAX_RADIUS = 12  # pixels; for wider windows the picture is made smaller
EPSILON = 1e-4
ESTIMATE_WEIGHT = 0.05  # of the wider window's alpha, where a known pixel's weight is 1

Pixels = NDArray[np.uint8 | np.uint16]


class Guided:
    """Extends the known pixels into the band with wide windows first; each corrects the last."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known."""
        alpha = (trimap / np.float32(255)).astype(np.float32)
        unknown = trimap == UNKNOWN
        box = bounding_box(unknown)
        if box is None:
            return Refined(Alpha(alpha))
        depth = region_depth(unknown[box])
        box = bounding_box(unknown, margin=round(2 * depth) + 2)
        assert box is not None
        alpha[box] = _refine_box(image[box], alpha[box], unknown[box], depth)
        return Refined(Alpha(alpha))


def _refine_box(image: Pixels, known: FloatArray, unknown: BoolArray, depth: float) -> FloatArray:
    """Return alpha in a box around the band: guided filters, wide windows first."""
    guide = (image / np.float32(np.iinfo(image.dtype).max)).astype(np.float32)
    weight = (~unknown).astype(np.float32)
    estimated = np.where(unknown, np.float32(ESTIMATE_WEIGHT), np.float32(1))
    alpha, windows, before = known, None, 0
    for radius in RADII:
        pixels = max(2.0, radius * depth)
        near = min(round(pixels), MAX_RADIUS)
        if pixels > MAX_RADIUS:
            guess = _filter_small(guide, alpha, weight, unknown, pixels / MAX_RADIUS)
        else:
            if windows is None or near != before:
                windows, before = GuidedWindows(guide, weight, unknown, near, EPSILON), near
            guess = windows.filter(alpha)
        alpha = np.where(unknown, np.clip(guess, 0, 1), known)
        if weight is not estimated:
            weight, windows = estimated, None
    return alpha


def _filter_small(
    guide: FloatArray,
    alpha: FloatArray,
    weight: FloatArray,
    unknown: BoolArray,
    shrink: float,
) -> FloatArray:
    """Return the guided filter's alpha with windows of `shrink` times the maximal radius."""
    height, width = alpha.shape
    small = max(1, round(height / shrink)), max(1, round(width / shrink))
    small_weight = resize(weight, *small)
    target = resize(alpha * weight, *small)
    target /= np.maximum(small_weight, np.float32(1e-6))
    # A small pixel that touches the band, and its neighbours, which upscaling reads.
    touching = (resize(unknown.astype(np.float32), *small) > 0).astype(np.uint8)
    region = cv2.dilate(touching, np.ones((5, 5), np.uint8)) > 0
    colours = resize(guide, *small)
    fitted = guided_filter(colours, target, small_weight, region, MAX_RADIUS, EPSILON)
    return resize(fitted, height, width)
