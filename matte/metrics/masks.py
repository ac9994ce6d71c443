"""How well a mask meets the true one."""

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Mask, Trimap

MASK_METRICS = ("miou", "accuracy")  # higher is better


def mask_scores(found: Mask, truth: Trimap) -> dict[str, float]:
    """`MASK_METRICS` of one picture; the mean of its `miou` over pictures is the set's mIoU."""
    return {"miou": subject_iou(found, truth), "accuracy": accuracy(found, truth)}


def subject_iou(found: Mask, truth: Trimap) -> float:
    """Intersection over union of the subject, 0 … 1; pixels of which the truth is 128 don't count.

    Where there is no subject and none was found it is 1.
    """
    counted = truth != UNKNOWN
    is_subject, taken = truth == SUBJECT, _subject(found) & counted
    union = np.count_nonzero(is_subject | taken)
    return np.count_nonzero(is_subject & taken) / union if union else 1.0


def accuracy(found: Mask, truth: Trimap) -> float:
    """The share of right pixels, 0 … 1, among those of which the truth is not 128; 1 of none."""
    counted = truth != UNKNOWN
    right = (_subject(found) == (truth == SUBJECT)) & counted
    pixels = np.count_nonzero(counted)
    return np.count_nonzero(right) / pixels if pixels else 1.0


def _subject(found: Mask) -> NDArray[np.bool_]:
    return np.asarray(found == SUBJECT)
