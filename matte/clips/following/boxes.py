"""Boxes around subjects, in pixels of a small copy: left, top, right, bottom."""

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, FloatArray

Box = NDArray[np.float64]  # left, top, right, bottom; right and bottom lie behind the last pixel
Slices = tuple[slice, slice]  # rows, columns


def box_of(region: BoolArray) -> Box:
    """Return the box around a region (h, w), which must not be empty."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def box_height(box: Box) -> float:
    """Return a box's height, which is at least one pixel."""
    return max(1.0, float(box[3] - box[1]))


def box_gap(one: Box, other: Box) -> float:
    """Return how far two boxes are apart, in steps along rows and columns; 0 where they touch."""
    aside = max(0.0, float(one[0] - other[2]), float(other[0] - one[2]))
    above = max(0.0, float(one[1] - other[3]), float(other[1] - one[3]))
    return aside + above


def touches_side(box: Box, width: int) -> bool:
    """Return whether a box touches the frame's left or right border: somebody may be cut off."""
    return bool(box[0] <= 1 or box[2] >= width - 1)


def paste(values: FloatArray, box: Box, within: Slices) -> FloatArray:
    """Return values (any size), placed with their corner at a box's, as seen in a part of a frame.

    What is around them is 0.
    """
    top, left = round(box[1]) - within[0].start, round(box[0]) - within[1].start
    high, wide = (each.stop - each.start for each in within)
    found = np.zeros((high, wide), np.float32)
    rows, columns = (
        slice(max(0, top), top + values.shape[0]),
        slice(max(0, left), left + values.shape[1]),
    )
    if rows.start < min(high, rows.stop) and columns.start < min(wide, columns.stop):
        part = values[rows.start - top : high - top, columns.start - left : wide - left]
        found[
            rows.start : rows.start + part.shape[0], columns.start : columns.start + part.shape[1]
        ] = part
    return found
