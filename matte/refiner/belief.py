"""How far a refiner is believed against the segmenter."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Confidence, Trimap
from matte.imaging.bands import box_mean
from matte.imaging.scaling import scaled

# Measured on portraits with true alpha: docs/decisions/0013.
SURE = 0.1  # from where on, towards 0 and 1, the segmenter counts the more the surer it is
CLOUDY = 0.1  # farther than this from 0 and 1 alpha is grey; where it is so all around, a cloud
THICK = 0.015  # of the long side: the radius of the smallest cloud; strands of hair are thinner
FULL = 0.95  # of a cell that must be cloudy
DECIDED = 10.0  # how many times confidence above or below the threshold counts in a cloud
RADIUS = 6  # of the smallest cloud, in cells

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


def believed(alpha: Alpha, trimap: Trimap, confidence: Confidence, threshold: float) -> Alpha:
    """Alpha as far as the segmenter leaves room for it, in the unknown pixels.

    A wide band lets a refiner take things for the subject, or from it, that the segmenter is fairly
    sure of. So alpha stays between 2c − 1 and 2c, and nearer than `SURE` to c = 0 or 1 it is mixed
    with the mask; c is the confidence, rising from 0 over ½ at the threshold to 1. Where alpha is
    grey over a larger area than hair is, c decides. A confidence of 0 and 1 only is a mask, and
    leaves alpha as it is.
    """
    unknown = trimap == UNKNOWN
    told = confidence[unknown]
    if not ((told > 0) & (told < 1)).any():
        return alpha
    c = _centred(told, np.float32(threshold))
    limited = np.clip(alpha[unknown], 2 * c - 1, 2 * c)
    weight = np.clip(np.minimum(c, 1 - c) / np.float32(SURE), 0, 1)
    mixed = weight * limited + (1 - weight) * (c >= 0.5)
    found = alpha.astype(np.float32)
    found[unknown] = mixed
    grey = unknown & (found > CLOUDY) & (found < 1 - CLOUDY)
    decided = np.clip(mixed + np.float32(DECIDED) * (c - np.float32(0.5)), 0, 1)
    found[unknown] += _clouds(grey)[unknown] * (decided - mixed)
    return Alpha(found)


def _centred(confidence: Floats, threshold: np.float32) -> Floats:
    """The confidence stretched on both sides of the threshold, which goes to ½."""
    below = confidence / (2 * threshold)
    above = 1 - (1 - confidence) / (2 * (1 - threshold))
    return np.where(confidence < threshold, below, above).astype(np.float32)


def _clouds(grey: Flags) -> Floats:
    """1 where grey is thick and up to the smallest cloud's radius around it, then falling to 0."""
    height, width = grey.shape
    radius = THICK * max(height, width)
    cell = max(1, int(radius / RADIUS))
    size = -(-width // cell), -(-height // cell)
    cells = cv2.resize(grey.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    full = (cells >= FULL * 255).astype(np.uint8)
    reach = max(1, round(radius / cell))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thick = cv2.dilate(cv2.morphologyEx(full, cv2.MORPH_OPEN, disc), disc).astype(np.float32)
    return scaled(box_mean(thick, max(1, reach // 2)), height, width)
