"""Large pictures worked on strip by strip, so that intermediate arrays stay small."""

from collections.abc import Iterator
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.resizing import PixelT, resize

MAX_STRIP_PIXELS = 1 << 18  # their floats just fit into a processor's cache


def strip_slices(lines: int, line_pixels: int) -> Iterator[slice]:
    """Yield slices that together cover `lines`, rows or columns of `line_pixels` pixels each.

    None is of a single line, unless there are no more: OpenCV may round those in another way.
    """
    count = -(-lines // max(3, MAX_STRIP_PIXELS // line_pixels))
    for number in range(count):
        yield slice(lines * number // count, lines * (number + 1) // count)


class EnlargedColumns(Generic[PixelT]):
    """A small array as resize() enlarges it, of which only the columns asked for are calculated.

    Columns, not rows: OpenCV widens first, and the rest of the work on a column needs no other.

    >>> enlarged = EnlargedColumns(np.eye(2), 4, 8)
    >>> enlarged[0:3].shape
    (4, 3)
    """

    def __init__(self, values: NDArray[PixelT], height: int, width: int) -> None:
        """Enlarge `values`, (H, W) or (H, W, C), to height × width."""
        self._height = height
        self._wide = resize(values, len(values), width)

    def __getitem__(self, columns: slice) -> NDArray[PixelT]:
        """Return these columns of the enlarged array, at full height."""
        part = self._wide[:, columns]
        return resize(part, self._height, part.shape[1])


def resize_strips(parts: Iterator[NDArray[Any]], height: int, width: int) -> FloatArray:
    """Return the float32 array whose strips of rows are `parts`, resized as by resize().

    Each strip is narrowed as it comes, so that the whole array is never held.
    """
    narrow = [resize(part, len(part), width) for part in parts]
    return resize(np.concatenate(narrow), height, width)
