"""The unknown pixels refined in overlapping tiles, which are blended where they meet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, BoolArray, FloatArray, Image, Trimap
from matte.refiner.detail import CELL, Cells
from matte.watching import tell_watcher

SIDE = 160  # pixels of a tile, unless another side is named
CONTEXT, WIDE_CONTEXT = 8, 16  # pixels of it at each border, in small and in large pictures
SIDE_PER_CONTEXT = 20  # a larger tile's context is this part of its side
BLEND_PIXELS = 8  # across which newly refined alpha is blended into the alpha around it
PATCH_SIDE = SIDE - 2 * CONTEXT - 2 * BLEND_PIXELS  # pixels that one tile refines again

# The alphas of pictures and trimaps of one shape, for a share of unknown pixels in the whole.
RunNetwork = Callable[[Sequence[Image], Sequence[Trimap], float], Sequence[FloatArray]]
ALL = slice(None)
MIN_TILE_WEIGHT = 1e-4  # keeps divisions finite where tiles count next to nothing


@dataclass(frozen=True, slots=True)
class Tiling:
    """The side of tiles, and how many pixels at each border are context, blended with the next."""

    side: int = SIDE
    context: int = CONTEXT


def tiling_for_side(side: int) -> Tiling:
    """Return the tiling for a side that the user named."""
    return Tiling(side, max(WIDE_CONTEXT, side // SIDE_PER_CONTEXT))


class RefineTask:
    """The pixels that tiles have to refine: the trimap's unknown ones, in or beside the cells.

    Across two cells beside them the tiles' alpha is blended into the existing alpha.
    """

    def __init__(self, trimap: Trimap, cells: Cells | None = None) -> None:
        self.trimap = trimap
        self._cells, self._share = cells, None
        if cells is not None:
            square = np.ones((3, 3), np.uint8)
            once = cv2.dilate(cells.astype(np.uint8), square)
            self._cells = cv2.dilate(once, square) > 0
            self._share = ((cells + once) / 2).astype(np.float32)

    def pixels_in(self, rows: slice, columns: slice = ALL) -> BoolArray:
        """Return which pixels of that part of the picture have to be refined."""
        unknown = self.trimap[rows, columns] == UNKNOWN
        if self._cells is None or not unknown.any():
            return np.asarray(unknown)
        y, x = self._indices(rows, columns)
        unknown &= self._cells[y[:, None] // CELL, x // CELL]
        return np.asarray(unknown)

    def existing_weight(self, rows: slice, columns: slice) -> FloatArray:
        """Return the blend weight of the existing alpha in that part, where a tile's is 1.

        It is (1 − s) / s for the tiles' share s, which falls evenly from cell to cell.
        """
        y, x = self._indices(rows, columns)
        if self._share is None:
            return np.zeros((len(y), len(x)), np.float32)
        (above, below, down), (left, right, aside) = (
            _cell_positions(place, length)
            for place, length in zip((y, x), self._share.shape, strict=True)
        )
        high = _interpolate(
            self._share[above[:, None], left], self._share[above[:, None], right], aside
        )
        low = _interpolate(
            self._share[below[:, None], left], self._share[below[:, None], right], aside
        )
        share = np.maximum(_interpolate(high, low, down[:, None]), MIN_TILE_WEIGHT)
        return np.asarray((1 - share) / share)

    def _indices(self, rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the numbers of the rows and of the columns in two slices."""
        height, width = self.trimap.shape
        return np.arange(*rows.indices(height)), np.arange(*columns.indices(width))


class StaleTask(RefineTask):
    """The pixels that tiles have to refine again: the unknown ones that are stale.

    Across `BLEND_PIXELS` beside them the tiles' alpha is blended into the existing alpha.
    """

    def __init__(self, trimap: Trimap, stale: BoolArray) -> None:
        super().__init__(trimap)
        window = BLEND_PIXELS + 1, BLEND_PIXELS + 1
        grown = cv2.dilate(np.where(stale, 255, 0).astype(np.uint8), np.ones(window, np.uint8))
        # In 255ths.
        self._shares = np.asarray(cv2.blur(grown, window), np.uint8)

    def pixels_in(self, rows: slice, columns: slice = ALL) -> BoolArray:
        """Return which pixels of that part of the picture have to be refined."""
        return np.asarray(super().pixels_in(rows, columns) & (self._shares[rows, columns] > 0))

    def existing_weight(self, rows: slice, columns: slice) -> FloatArray:
        """Return the blend weight of the existing alpha in that part, where a tile's is 1."""
        share = np.maximum(self._shares[rows, columns] / np.float32(255), MIN_TILE_WEIGHT)
        return np.asarray((1 - share) / share, np.float32)


def _cell_positions(
    place: NDArray[Any], cells: int
) -> tuple[NDArray[Any], NDArray[Any], FloatArray]:
    """Return the two cells whose centres each pixel lies between, and its share of the way."""
    at = (place + 0.5) / CELL - 0.5
    first = np.floor(at).astype(int)
    share = (at - first).astype(np.float32)
    return np.clip(first, 0, cells - 1), np.clip(first + 1, 0, cells - 1), share


def _interpolate(one: FloatArray, other: FloatArray, share: FloatArray) -> FloatArray:
    """Return the values that lie this share of the way from one to the other."""
    return np.asarray(one + share * (other - one), np.float32)


def tile_corners(task: RefineTask, tiling: Tiling) -> list[tuple[int, int]]:
    """Return the upper left corners (y, x) of tiles whose inner parts cover the task's pixels."""
    height, width = task.trimap.shape
    core = tiling.side - 2 * tiling.context
    found, y = [], 0
    while y < height:
        here = task.pixels_in(slice(y, y + core))
        rows = np.flatnonzero(here.any(axis=1))
        if not rows.size or rows[0] > 0:
            y += int(rows[0]) if rows.size else core
            continue
        columns = np.flatnonzero(here.any(axis=0))
        while columns.size:
            x = int(columns[0])
            found.append((_tile_start(y, tiling, height), _tile_start(x, tiling, width)))
            columns = columns[columns >= x + core]
        y += core
    return found


def _tile_start(start: int, tiling: Tiling, length: int) -> int:
    """Return where a tile begins whose inner part begins at `start`, moved into the picture."""
    return max(0, min(start - tiling.context, length - tiling.side))


def tile_window(tiling: Tiling) -> FloatArray:
    """Return the blend weight of each pixel of a tile: less where it meets others."""
    near = np.minimum(np.arange(tiling.side), np.arange(tiling.side)[::-1]) + 1
    ramp = np.minimum(near / tiling.context, 1).astype(np.float32)
    return np.asarray(ramp[:, None] * ramp)


def refine_tiles(
    image: Image,
    task: RefineTask,
    alpha: FloatArray,
    run: RunNetwork,
    ratio: float,
    tiling: Tiling,
    batch: int,
) -> int:
    """Write alpha at the task's pixels only, in place; return the number of tiles.

    Height and width are at least a tile's; the network gets `batch` tiles at once.
    """
    window = tile_window(tiling)
    # The sum of the blend weights at each pixel so far.
    counted = np.zeros(task.trimap.shape, np.float16)
    corners = tile_corners(task, tiling)
    for part, found in _run_tiles(corners, image, task.trimap, run, ratio, tiling, batch):
        existing = counted[part].astype(np.float32)
        existing = np.where(existing == 0, task.existing_weight(*part), existing)
        weight = existing + window
        counted[part] = weight
        wanted = task.pixels_in(*part)
        # A running mean: where nothing counted before, the first tile is all there is.
        step = (window / weight) * (found - alpha[part])
        np.add(alpha[part], step, out=alpha[part], where=wanted)
    return len(corners)


def _run_tiles(
    corners: Sequence[tuple[int, int]],
    image: Image,
    trimap: Trimap,
    run: RunNetwork,
    ratio: float,
    tiling: Tiling,
    batch: int,
) -> Iterator[tuple[tuple[slice, slice], FloatArray]]:
    """Yield each tile's place in the picture, and the network's alpha of it."""
    side = tiling.side
    for start in range(0, len(corners), batch):
        tell_watcher("refine", start / len(corners))
        parts = [
            (slice(y, y + side), slice(x, x + side)) for y, x in corners[start : start + batch]
        ]
        pictures = [Image(image[part]) for part in parts]
        found = run(pictures, [Trimap(trimap[part]) for part in parts], ratio)
        yield from zip(parts, found, strict=True)
