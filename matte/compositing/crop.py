"""Where in the picture the subject is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import as_alpha
from matte.configs.lengths import Length
from matte.imaging.regions import bounding_box

SUBJECT = 0.5  # alpha from which a pixel counts: cast shadows and veils stay below
SPECK = 0.01  # share of the largest part that a smaller part must have to count
NONE = Length(0)


def subject_box(alpha: NDArray[np.float32], margin: Length = NONE) -> tuple[slice, slice] | None:
    """The rows and columns that hold the subject and a margin, within the picture; or None.

    `margin` is in pixels, or a percentage of the longer side of the subject's box. Specks and what
    is fainter than half don't count.
    """
    subject = as_alpha(alpha) >= SUBJECT
    box = bounding_box(_without_specks(subject))
    if box is None:
        return None
    sides = [s.stop - s.start for s in box]
    around = round(margin.pixels(max(sides)))
    rows, columns = (
        slice(max(0, s.start - around), min(size, s.stop + around))
        for s, size in zip(box, subject.shape, strict=True)
    )
    return rows, columns


def _without_specks(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The region's parts that are not tiny beside the largest."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # what is not the region
    counts = areas >= max(1, SPECK * areas.max())
    return np.asarray(counts[labels], np.bool_)
