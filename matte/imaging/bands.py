"""The part of a picture that has to be worked on."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def bounding_box(region: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice] | None:
    """Rows and columns that hold all True pixels and `margin` around, within the region's array;
    None where there is none.
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


def in_steps(part: slice, step: int, length: int) -> slice:
    """What holds the part, from a multiple of `step` to another, or to the end at `length`."""
    return slice(part.start // step * step, min(-(-part.stop // step) * step, length))


def farthest(region: NDArray[np.bool_]) -> float:
    """How far the deepest True pixel lies from the nearest False one, in pixels."""
    if region.all():
        return float(max(region.shape))
    return float(cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3).max())


def box_mean(values: NDArray[Any], radius: int) -> NDArray[np.float32]:
    """The mean over the (2 radius + 1)² window around each pixel, borders mirrored."""
    side = 2 * radius + 1
    return np.asarray(cv2.blur(values, (side, side)), np.float32)
