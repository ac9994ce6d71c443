"""Large pictures gone over part by part, so that what is made on the way stays small."""

from collections.abc import Iterator
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from matte.imaging.scaling import Pixel, scaled

PIXELS = 1 << 18  # that are worked on together: their floats just fit into a processor's cache


def strips(lines: int, across: int) -> Iterator[slice]:
    """Slices that together cover `lines`, rows or columns, of `across` pixels each.

    None is of a single line, unless there are no more: OpenCV may round those in another way.
    """
    count = -(-lines // max(3, PIXELS // across))
    for number in range(count):
        yield slice(lines * number // count, lines * (number + 1) // count)


class Grown(Generic[Pixel]):
    """What `scaled` makes of small values, (H, W) or (H, W, C), some columns at a time.

    Columns, as OpenCV widens first: what is left to do in one of them asks for no other.
    """

    def __init__(self, values: NDArray[Pixel], height: int, width: int) -> None:
        self._height = height
        self._wide = scaled(values, len(values), width)

    def __getitem__(self, columns: slice) -> NDArray[Pixel]:
        """These columns at full height."""
        part = self._wide[:, columns]
        return scaled(part, self._height, part.shape[1])


def shrunk(parts: Iterator[NDArray[Any]], height: int, width: int) -> NDArray[np.float32]:
    """What `scaled` makes of the float32 array whose strips of rows are `parts`."""
    narrow = [scaled(part, len(part), width) for part in parts]
    return scaled(np.concatenate(narrow), height, width)
