"""Who is right where the refiner and the segmenter's confidence disagree: decided part by part.

The formula and its weights: docs/decisions/0031-who-is-right-where-they-disagree.md.
"""

from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, BoolArray, Confidence, FloatArray, Image, Mask, Trimap
from matte.imaging.strips import EnlargedColumns, strip_slices
from matte.refiner.alpha_errors import MIN_SUM, WIDE, AlphaErrors, AlphaFeatures

MIN_DIFFERENCE = 0.1  # of both alphas, from which on they disagree
GROWTH = 2  # pixels by which a part in dispute is grown
MAX_LOG_RATIO = 4.0  # of a feature, in either direction
MIN_MEAN = 0.002  # of a feature over a part, added before its logarithm is taken
# Of the logarithms of the refined alpha's features over the limited one's: those of the part, and
# those of the whole picture. Where the sum is above 0 the refined alpha is believed.
PART_WEIGHTS = (-1.35, 1.39, 0.13, -0.65)
PICTURE_WEIGHTS = (-0.61, 1.78, -0.26, 0.1)
BIAS = -1.29


@dataclass(frozen=True, slots=True, eq=False)
class Disputes:
    """The parts in which two alphas disagree, at the size (h, w) at which they are compared.

    `labels` has each pixel's part, from 1; 0 outside. `features`, (parts, 8), are the logarithms of
    the refined alpha's features over the limited one's, of the part and of the whole picture.
    """

    refined: FloatArray
    limited: FloatArray
    labels: NDArray[np.int32]
    features: NDArray[np.float64]


def settle_disputes(
    image: Image,
    trimap: Trimap,
    confidence: Confidence,
    mask: Mask,
    refined: Alpha,
    limited: Alpha,
) -> Alpha:
    """Return the limited alpha, with the refined one in the parts where that looks righter.

    `limited` is `refined` (H, W) within the limits of the confidence. It is changed in place: one
    more copy of a large picture's alpha would exceed the memory that is planned for.
    """
    if refined is limited or not _disagree(refined, limited):
        return limited
    errors = AlphaErrors(image, confidence, mask, trimap == UNKNOWN)
    disputes = collect_disputes(errors, refined, limited)
    features = np.clip(disputes.features, -MAX_LOG_RATIO, MAX_LOG_RATIO)
    score = features @ np.array([*PART_WEIGHTS, *PICTURE_WEIGHTS]) + BIAS
    if not (score > 0).any():
        return limited
    believed = np.concatenate([[0], score > 0]).astype(np.float32)[disputes.labels]
    height, width = limited.shape
    shares = EnlargedColumns(believed, height, width)
    for columns in strip_slices(width, height):
        part = limited[:, columns]
        part += shares[columns] * (refined[:, columns] - part)
    return limited


def _disagree(refined: Alpha, limited: Alpha) -> bool:
    """Return whether the alphas disagree in any pixel."""
    strips = strip_slices(*refined.shape)
    return any(np.abs(refined[rows] - limited[rows]).max() > MIN_DIFFERENCE for rows in strips)


def collect_disputes(errors: AlphaErrors, refined: Alpha, limited: Alpha) -> Disputes:
    """Return the parts in which the alphas disagree, with their features."""
    free, bound = errors.maps(refined), errors.maps(limited)
    square = np.ones((2 * GROWTH + 1, 2 * GROWTH + 1), np.uint8)
    apart = (np.abs(free.alpha - bound.alpha) > MIN_DIFFERENCE).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(apart, square))
    whole = _log_ratios(free.sums(), bound.sums(), MIN_SUM)
    features = np.empty((len(stats) - 1, 2 * len(whole)))
    for number, (left, top, width, height) in enumerate(stats[1:, :4].tolist(), 1):
        rows = slice(max(0, top - WIDE), top + height + WIDE)
        box = rows, slice(max(0, left - WIDE), left + width + WIDE)
        around = _windows_on(labels[box] == number)
        least = MIN_MEAN * np.count_nonzero(around)
        part = _log_ratios(free.sums(box, around), bound.sums(box, around), least)
        features[number - 1] = *part, *whole
    return Disputes(free.alpha, bound.alpha, np.asarray(labels, np.int32), features)


def _windows_on(part: BoolArray) -> BoolArray:
    """Return the pixels (h, w) whose wide windows see a part."""
    square = np.ones((2 * WIDE + 1, 2 * WIDE + 1), np.uint8)
    return np.asarray(cv2.dilate(part.astype(np.uint8), square) > 0)


def _log_ratios(one: AlphaFeatures, other: AlphaFeatures, least: float) -> NDArray[np.float64]:
    """Return the logarithms of some features over others, to which `least` is added before."""
    first, second = (np.array(astuple(each)) + least for each in (one, other))
    return np.asarray(np.log(first / second))
