"""From the segmenter's confidence to a binary mask, cleaned as the settings ask."""

import cv2
import numpy as np

from matte.arrays import SUBJECT, BoolArray, Confidence, Mask
from matte.configs.settings import SegmentationSettings


def make_mask(confidence: Confidence, settings: SegmentationSettings) -> Mask:
    """Return the binary mask: 255 where the confidence reaches the threshold, else 0.

    Then, as the settings ask: its edge is smoothed, it is opened and closed, holes are filled, and
    all but the largest parts are removed.
    """
    subject = confidence >= settings.threshold
    if settings.smooth_mask:
        subject = _smooth(subject, settings.smooth_mask)
    if settings.open_mask:
        subject = _open(subject, settings.open_mask)
    if settings.close_mask:
        subject = ~_open(~subject, settings.close_mask)
    if settings.fill_holes:
        subject = _fill_holes(subject, settings.fill_holes * subject.size)
    if settings.keep_parts:
        subject = _largest_parts(subject, settings.keep_parts)
    mask = np.ascontiguousarray(subject).view(np.uint8)
    mask *= np.uint8(SUBJECT)
    return Mask(mask)


def _smooth(subject: BoolArray, radius: int) -> BoolArray:
    """Return the mask with the steps of its edge rounded off: blurred, and thresholded at ½."""
    side = 2 * radius + 1
    blurred = cv2.GaussianBlur(subject.astype(np.float32), (side, side), 0)
    return np.asarray(blurred >= 0.5)


def _open(subject: BoolArray, radius: int) -> BoolArray:
    """Return the mask without parts that no disc fits into; the border is repeated outwards."""
    height, width = subject.shape
    wide = np.pad(subject, radius, mode="edge")
    opened = _dilate(_erode(wide, radius), radius)
    return opened[radius : radius + height, radius : radius + width]


def _erode(subject: BoolArray, radius: int) -> BoolArray:
    """Return the subject's pixels that are farther than `radius` from the background."""
    if subject.all():
        return subject
    depth = cv2.distanceTransform(subject.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth > radius)


def _dilate(subject: BoolArray, radius: int) -> BoolArray:
    """Return the pixels that are at most `radius` from the subject."""
    return ~_erode(~subject, radius)


def _fill_holes(subject: BoolArray, area: float) -> BoolArray:
    """Return the mask without holes of up to `area` pixels that touch no border."""
    ground = (~subject).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    height, width = subject.shape
    left, top, wide, high, pixels = stats.T
    inside = (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
    small = inside & (pixels <= area)
    small[0] = False  # label 0 is the subject
    return np.asarray(subject | small[labels])


def _largest_parts(subject: BoolArray, parts: int) -> BoolArray:
    """Return the mask's `parts` largest connected parts."""
    region = subject.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
    if count - 1 <= parts:
        return subject
    sizes = stats[1:, cv2.CC_STAT_AREA]
    kept = np.zeros(count, bool)
    kept[1 + np.argsort(-sizes, kind="stable")[:parts]] = True
    return np.asarray(kept[labels])
