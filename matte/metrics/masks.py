"""Metrics of a mask against the true one."""

import numpy as np

from matte.arrays import SUBJECT, UNKNOWN, BoolArray, Mask, Trimap

MASK_METRICS = ("miou", "accuracy")  # higher is better
# What a picture adds to the IoU of a whole set, of either class: the shares of its pixels where
# found and true mask are of the class, and where one of them is.
CLASS_SHARES = (("subject_both", "subject_any"), ("background_both", "background_any"))


def mask_scores(found: Mask, truth: Trimap) -> dict[str, float]:
    """Return MASK_METRICS of one picture; the mean `miou` of pictures is their set's mIoU."""
    return {"miou": subject_iou(found, truth), "accuracy": accuracy(found, truth)}


def class_shares(found: Mask, truth: Trimap) -> dict[str, float]:
    """Return CLASS_SHARES of one picture, of the pixels whose truth is not 128.

    All pictures weigh the same, whatever their size, as where they are scaled to one.
    """
    counted = truth != UNKNOWN
    true, predicted = truth == SUBJECT, _is_subject(found)
    regions = {
        "subject_both": true & predicted,
        "subject_any": true | predicted,
        "background_both": ~(true | predicted),
        "background_any": ~(true & predicted),
    }
    pixels = int(np.count_nonzero(counted)) or 1
    return {name: int(np.count_nonzero(r & counted)) / pixels for name, r in regions.items()}


def subject_iou(found: Mask, truth: Trimap) -> float:
    """Return the intersection over union of the subject, 0 … 1; true 128 pixels don't count.

    It is 1 where there is no subject and none was found.
    """
    counted = truth != UNKNOWN
    true, predicted = truth == SUBJECT, _is_subject(found) & counted
    union = np.count_nonzero(true | predicted)
    return np.count_nonzero(true & predicted) / union if union else 1.0


def accuracy(found: Mask, truth: Trimap) -> float:
    """Return the share of right pixels, 0 … 1, where the truth is not 128; 1 of no pixels."""
    counted = truth != UNKNOWN
    right = (_is_subject(found) == (truth == SUBJECT)) & counted
    pixels = np.count_nonzero(counted)
    return np.count_nonzero(right) / pixels if pixels else 1.0


def _is_subject(found: Mask) -> BoolArray:
    """Return where the mask is the subject."""
    return np.asarray(found == SUBJECT)
