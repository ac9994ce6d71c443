"""A confidence brought into agreement with the mask that was cleaned after it was cut."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, BoolArray, Confidence, FloatArray, Mask
from matte.imaging.strips import strip_slices

EDGE_KERNEL = np.ones((3, 3), np.uint8)


def agree_with_mask(
    confidence: Confidence, mask: Mask, threshold: float, near: float, far: float
) -> Confidence:
    """Return the confidence, changed where the cleaned mask is not what the threshold cuts from it.

    Cut again at the threshold it gives the mask. Filled holes become sure subject and removed
    specks sure background, and so does up to `far` pixels around them what is nearer to their edge
    than to one that is still there: the doubt belonged to them. An edge that has moved by no more
    than `near` pixels keeps its doubt, and its pixels that changed sides are as sure as before.
    Where nothing was cleaned, the confidence itself comes back.
    """
    cut, subject = np.float32(threshold), mask == SUBJECT
    changed = (confidence >= cut) != subject
    if not changed.any():
        return confidence
    sure = _sure_pixels(_edge_pixels(mask), changed, mask, near, far)
    agreed = np.empty_like(confidence)
    for rows in strip_slices(*mask.shape):
        c, s = confidence[rows], subject[rows]
        agreed[rows] = np.where(changed[rows], _mirror(c, s, cut), c)
        np.copyto(agreed[rows], s.astype(np.float32), where=sure[rows])
    return Confidence(agreed)


def _sure_pixels(
    edge: BoolArray, changed: BoolArray, mask: Mask, near: float, far: float
) -> BoolArray:
    """Return the pixels whose doubt is gone with the edge that was cleaned away."""
    is_near = _distances(edge) <= near
    cut_mask = np.where(changed, np.uint8(SUBJECT) - mask, mask).astype(np.uint8)
    former = _edge_pixels(cut_mask)
    removed, kept = former & ~is_near, (former & is_near) | edge
    to_removed = _distances(removed)
    sure = (to_removed < _distances(kept)) & (to_removed <= far)
    sure |= changed & ~is_near
    return np.asarray(sure)


def _edge_pixels(mask: NDArray[np.uint8]) -> BoolArray:
    """Return the subject's pixels that touch the background; the picture's border is no edge."""
    return np.asarray(mask != cv2.erode(mask, EDGE_KERNEL))


def _distances(pixels: BoolArray) -> FloatArray:
    """Return how far each pixel is from the nearest of `pixels`; without end if there is none."""
    if not pixels.any():
        return np.full(pixels.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~pixels).view(np.uint8), cv2.DIST_L2, 5), np.float32)


def _mirror(confidence: FloatArray, subject: BoolArray, cut: np.float32) -> FloatArray:
    """Return the confidence on the other side of the threshold, where `subject` says that it is."""
    below = cut - (confidence - cut) * cut / (1 - cut)
    above = cut + (cut - confidence) * (1 - cut) / cut
    outside = np.minimum(below, np.nextafter(cut, np.float32(0)))
    mirrored = np.where(subject, np.maximum(above, cut), outside)
    return np.asarray(np.clip(mirrored, 0, 1), np.float32)
