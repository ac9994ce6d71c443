"""How far a refiner is believed against the segmenter."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Confidence, FloatArray, Trimap
from matte.imaging.box_filter import box_mean
from matte.imaging.strips import EnlargedColumns, strip_slices

# Measured on portraits with true alpha: docs/decisions/0013.
SURE = 0.1  # from where on, towards 0 and 1, the segmenter counts the more the surer it is
CLOUDY = 0.1  # farther than this from 0 and 1 alpha is grey; where it is so all around, a cloud
THICK = 0.015  # of the long side: the radius of the smallest cloud; strands of hair are thinner
FULL = 0.95  # of a cell that must be cloudy
DECIDED = 10.0  # how many times confidence above or below the threshold counts in a cloud
RADIUS = 6  # of the smallest cloud, in cells


def believed(alpha: Alpha, trimap: Trimap, confidence: Confidence, threshold: float) -> Alpha:
    """Alpha as far as the segmenter leaves room for it, in the unknown pixels.

    A wide band lets a refiner take things for the subject, or from it, that the segmenter is fairly
    sure of. So alpha stays between 2c − 1 and 2c, and nearer than `SURE` to c = 0 or 1 it is mixed
    with the mask; c is the confidence, rising from 0 over ½ at the threshold to 1. Where alpha is
    grey over a larger area than hair is, c decides. A confidence of 0 and 1 only is a mask, and
    leaves alpha as it is.
    """
    height, width = alpha.shape
    if not any(_soft(confidence[part], trimap[part]) for part in strip_slices(height, width)):
        return alpha
    limit = np.float32(threshold)
    found, grey = np.empty_like(alpha), np.zeros(alpha.shape, np.uint8)
    for rows in strip_slices(height, width):
        unknown = trimap[rows] == UNKNOWN
        mixed = _limited(alpha[rows][unknown], _centred(confidence[rows][unknown], limit))
        found[rows] = alpha[rows]
        found[rows][unknown] = mixed
        grey[rows][unknown] = np.where((mixed > CLOUDY) & (mixed < 1 - CLOUDY), 255, 0)
    thick = _clouds(grey)
    if not thick.any():
        return Alpha(found)
    clouds = EnlargedColumns(thick, height, width)
    for columns in strip_slices(width, height):
        unknown = trimap[:, columns] == UNKNOWN
        c, mixed = (x[:, columns][unknown] for x in (confidence, found))
        centred = _centred(c, limit)
        decided = np.clip(mixed + np.float32(DECIDED) * (centred - np.float32(0.5)), 0, 1)
        found[:, columns][unknown] = mixed + clouds[columns][unknown] * (decided - mixed)
    return Alpha(found)


def _soft(confidence: FloatArray, trimap: NDArray[np.uint8]) -> bool:
    """Whether it doubts anything that is unknown."""
    return bool(((confidence > 0) & (confidence < 1) & (trimap == UNKNOWN)).any())


def _limited(alpha: FloatArray, c: FloatArray) -> FloatArray:
    """Alpha between 2c − 1 and 2c, mixed with the mask where c is sure."""
    weight = np.clip(np.minimum(c, 1 - c) / np.float32(SURE), 0, 1)
    limited = np.clip(alpha, 2 * c - 1, 2 * c)
    return np.asarray(weight * limited + (1 - weight) * (c >= 0.5), np.float32)


def _centred(confidence: FloatArray, threshold: np.float32) -> FloatArray:
    """The confidence stretched on both sides of the threshold, which goes to ½."""
    below = confidence / (2 * threshold)
    above = 1 - (1 - confidence) / (2 * (1 - threshold))
    return np.where(confidence < threshold, below, above).astype(np.float32)


def _clouds(grey: NDArray[np.uint8]) -> FloatArray:
    """1 where grey, 0 or 255, is thick and up to the smallest cloud's radius around it, then
    falling to 0; in cells of several pixels.
    """
    height, width = grey.shape
    radius = THICK * max(height, width)
    cell = max(1, int(radius / RADIUS))
    size = -(-width // cell), -(-height // cell)
    cells = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    full = (cells >= FULL * 255).astype(np.uint8)
    reach = max(1, round(radius / cell))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thick = cv2.dilate(cv2.morphologyEx(full, cv2.MORPH_OPEN, disc), disc).astype(np.float32)
    return box_mean(thick, max(1, reach // 2))
