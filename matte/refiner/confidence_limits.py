"""The segmenter's confidence as a limit on the refiner's alpha."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Confidence, FloatArray, Trimap
from matte.imaging.box_filter import box_mean
from matte.imaging.strips import EnlargedColumns, strip_slices

# Measured on portraits with true alpha: docs/decisions/0013.
SURE_DISTANCE = 0.1  # of confidence from 0 and 1: nearer, the mask counts the more, alpha the less
GREY_DISTANCE = 0.1  # of alpha from 0 and 1, beyond which it is grey
MIN_CLOUD_SHARE = 0.015  # of the long side: a grey area's least radius; strands of hair are thinner
MIN_GREY_SHARE = 0.95  # of a cell, for it to be part of a grey area
CLOUD_GAIN = 10.0  # by which confidence above or below the threshold decides in a grey area
MIN_CLOUD_CELLS = 6  # of the smallest grey area's radius
# Between these probabilities of a soft edge the limit fades away.
SOFT_FROM, SOFT_TO = 0.3, 0.6


def limit_by_confidence(
    alpha: Alpha,
    trimap: Trimap,
    confidence: Confidence,
    threshold: float,
    soft: FloatArray | None = None,
) -> Alpha:
    """Return alpha, limited in the unknown pixels to what the segmenter's confidence allows.

    In a wide band a refiner may add things to the subject, or remove parts of it, although the
    segmenter is fairly sure of them. So alpha stays between 2c − 1 and 2c, and nearer than
    `SURE_DISTANCE` to c = 0 or 1 it is blended with the mask; c is the confidence, rising from 0
    over ½ at the threshold to 1. Where alpha is grey over a larger area than hair is, c decides. A
    confidence of 0 and 1 only is a mask, and leaves alpha as it is.
    `soft`, of any size, is how likely the edge is soft, where that has been learnt: hair reaches
    farther than a mask, so the limit fades where it is.
    """
    limited = _limit_everywhere(alpha, trimap, confidence, threshold)
    if soft is None or limited is alpha:
        return limited
    height, width = alpha.shape
    share = np.clip((soft - SOFT_FROM) / np.float32(SOFT_TO - SOFT_FROM), 0, 1)
    freedom = EnlargedColumns(share, height, width)
    for columns in strip_slices(width, height):
        found = limited[:, columns]
        found += freedom[columns] * (alpha[:, columns] - found)
    return limited


def _limit_everywhere(
    alpha: Alpha, trimap: Trimap, confidence: Confidence, threshold: float
) -> Alpha:
    """Return alpha, limited in all unknown pixels; the same array where nothing is in doubt."""
    height, width = alpha.shape
    if not any(_has_doubt(confidence[part], trimap[part]) for part in strip_slices(height, width)):
        return alpha
    cut = np.float32(threshold)
    found, grey = np.empty_like(alpha), np.zeros(alpha.shape, np.uint8)
    for rows in strip_slices(height, width):
        unknown = trimap[rows] == UNKNOWN
        limited = _limit(alpha[rows][unknown], _centre(confidence[rows][unknown], cut))
        found[rows] = alpha[rows]
        found[rows][unknown] = limited
        is_grey = (limited > GREY_DISTANCE) & (limited < 1 - GREY_DISTANCE)
        grey[rows][unknown] = np.where(is_grey, 255, 0)
    weights = _cloud_weights(grey)
    if not weights.any():
        return Alpha(found)
    clouds = EnlargedColumns(weights, height, width)
    for columns in strip_slices(width, height):
        unknown = trimap[:, columns] == UNKNOWN
        c, limited = (x[:, columns][unknown] for x in (confidence, found))
        centred = _centre(c, cut)
        decided = np.clip(limited + np.float32(CLOUD_GAIN) * (centred - np.float32(0.5)), 0, 1)
        found[:, columns][unknown] = limited + clouds[columns][unknown] * (decided - limited)
    return Alpha(found)


def _has_doubt(confidence: FloatArray, trimap: NDArray[np.uint8]) -> bool:
    """Return whether the confidence is neither 0 nor 1 in any unknown pixel."""
    return bool(((confidence > 0) & (confidence < 1) & (trimap == UNKNOWN)).any())


def _limit(alpha: FloatArray, c: FloatArray) -> FloatArray:
    """Return alpha limited to 2c − 1 … 2c, blended with the mask where c is sure."""
    weight = np.clip(np.minimum(c, 1 - c) / np.float32(SURE_DISTANCE), 0, 1)
    limited = np.clip(alpha, 2 * c - 1, 2 * c)
    return np.asarray(weight * limited + (1 - weight) * (c >= 0.5), np.float32)


def _centre(confidence: FloatArray, threshold: np.float32) -> FloatArray:
    """Return the confidence stretched on both sides so that the threshold becomes ½."""
    below = confidence / (2 * threshold)
    above = 1 - (1 - confidence) / (2 * (1 - threshold))
    return np.where(confidence < threshold, below, above).astype(np.float32)


def _cloud_weights(grey: NDArray[np.uint8]) -> FloatArray:
    """Return a weight for each cell of several pixels: 1 in and around large grey areas, else 0.

    `grey` is 0 or 255 for each pixel. Beyond the smallest area's radius the weight falls to 0.
    """
    height, width = grey.shape
    radius = MIN_CLOUD_SHARE * max(height, width)
    cell = max(1, int(radius / MIN_CLOUD_CELLS))
    size = -(-width // cell), -(-height // cell)
    cells = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    full = (cells >= MIN_GREY_SHARE * 255).astype(np.uint8)
    reach = max(1, round(radius / cell))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thick = cv2.dilate(cv2.morphologyEx(full, cv2.MORPH_OPEN, disc), disc).astype(np.float32)
    return box_mean(thick, max(1, reach // 2))
