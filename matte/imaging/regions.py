"""Boxes around, and depths of, the parts of a picture that have to be worked on."""

import cv2
import numpy as np

from matte.arrays import BoolArray


def bounding_box(region: BoolArray, margin: int = 0) -> tuple[slice, slice] | None:
    """Return the rows and columns that hold all True pixels of a region, or None if it has none.

    They reach `margin` pixels farther on each side, but not beyond the region's array (H, W).
    """
    rows = np.flatnonzero(region.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(region.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), min(len(region), int(rows[-1]) + 1 + margin)),
        slice(
            max(0, int(columns[0]) - margin), min(region.shape[1], int(columns[-1]) + 1 + margin)
        ),
    )


def align_slice(part: slice, step: int, length: int) -> slice:
    """Return the smallest slice around `part` that begins and ends at multiples of `step`.

    It ends at `length` at the latest, the length of what is sliced.
    """
    return slice(part.start // step * step, min(-(-part.stop // step) * step, length))


def region_depth(region: BoolArray) -> float:
    """Return how many pixels the deepest True pixel lies from the nearest False one.

    The longer side of the array (H, W) where all pixels are True.
    """
    if region.all():
        return float(max(region.shape))
    return float(cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3).max())
