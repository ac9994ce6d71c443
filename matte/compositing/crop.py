"""The part of a picture that holds the subject."""

import cv2
import numpy as np

from matte.arrays import BoolArray, FloatArray, as_alpha
from matte.configs.lengths import Length
from matte.imaging.regions import bounding_box

MIN_SUBJECT_ALPHA = 0.5  # for a pixel to count: cast shadows and veils stay below
MIN_PART_SHARE = 0.01  # of the largest part's area, for another part to count
NO_MARGIN = Length(0)


def subject_box(alpha: FloatArray, margin: Length = NO_MARGIN) -> tuple[slice, slice] | None:
    """Return the rows and columns that hold the subject and a margin, within the picture.

    `margin` is in pixels, or a percentage of the longer side of the subject's box. Specks and what
    is fainter than half don't count; None if nothing else is there.
    """
    subject = as_alpha(alpha) >= MIN_SUBJECT_ALPHA
    box = bounding_box(_remove_specks(subject))
    if box is None:
        return None
    sides = [s.stop - s.start for s in box]
    margin_pixels = round(margin.pixels(max(sides)))
    rows, columns = (
        slice(max(0, s.start - margin_pixels), min(size, s.stop + margin_pixels))
        for s, size in zip(box, subject.shape, strict=True)
    )
    return rows, columns


def _remove_specks(region: BoolArray) -> BoolArray:
    """Return the region without the parts that are tiny beside the largest."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # the label of what is outside the region
    is_large = areas >= max(1, MIN_PART_SHARE * areas.max())
    return np.asarray(is_large[labels], np.bool_)
