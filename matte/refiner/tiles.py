"""What is unknown refined in overlapping tiles, blended where they meet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, BoolArray, FloatArray, Image, Trimap
from matte.refiner.detail import CELL, Cells

SIDE = 160  # of a tile, in pixels, if nobody names one
CONTEXT, WIDE = 8, 16  # of them at each border are context, in small and in large pictures
SHARE = 20  # of a larger tile's side its context is one part
OVER = 8  # pixels across which what is refined again goes over into what was there
PATCH = SIDE - 2 * CONTEXT - 2 * OVER  # side of what one tile refines again

# Alpha of pictures and their trimaps, all of one shape, given the share of unknown in the whole.
Run = Callable[[Sequence[Image], Sequence[Trimap], float], Sequence[NDArray[np.float32]]]
ALL = slice(None)
LEAST = 1e-4  # share of tiles: they count as good as nothing


@dataclass(frozen=True, slots=True)
class Tiling:
    """How large tiles are, and how many pixels at each border are only seen, and blended with the
    neighbour's.
    """

    side: int = SIDE
    context: int = CONTEXT


def tiling_of(side: int) -> Tiling:
    """Tiles of a side that somebody named."""
    return Tiling(side, max(WIDE, side // SHARE))


class Task:
    """What tiles are to refine: what is unknown in the trimap, if it lies in or beside one of the
    cells. Across two cells beside them the tiles' alpha goes over into what was there.
    """

    def __init__(self, trimap: Trimap, cells: Cells | None = None) -> None:
        self.trimap = trimap
        self._cells, self._share = cells, None
        if cells is not None:
            square = np.ones((3, 3), np.uint8)
            once = cv2.dilate(cells.astype(np.uint8), square)
            self._cells = cv2.dilate(once, square) > 0
            self._share = ((cells + once) / 2).astype(np.float32)

    def within(self, rows: slice, columns: slice = ALL) -> BoolArray:
        """Where in that part of the picture there is something to refine."""
        unknown = self.trimap[rows, columns] == UNKNOWN
        if self._cells is None or not unknown.any():
            return np.asarray(unknown)
        y, x = self._numbers(rows, columns)
        unknown &= self._cells[y[:, None] // CELL, x // CELL]
        return np.asarray(unknown)

    def before(self, rows: slice, columns: slice) -> FloatArray:
        """How much what was there counts in that part, where a tile counts 1: (1 − s) / s for a
        share s of the tiles that falls evenly from cell to cell.
        """
        y, x = self._numbers(rows, columns)
        if self._share is None:
            return np.zeros((len(y), len(x)), np.float32)
        (above, below, down), (left, right, aside) = (
            _between(place, length) for place, length in zip((y, x), self._share.shape, strict=True)
        )
        high = _mixed(self._share[above[:, None], left], self._share[above[:, None], right], aside)
        low = _mixed(self._share[below[:, None], left], self._share[below[:, None], right], aside)
        share = np.maximum(_mixed(high, low, down[:, None]), LEAST)
        return np.asarray((1 - share) / share)

    def _numbers(self, rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[Any]]:
        height, width = self.trimap.shape
        return np.arange(*rows.indices(height)), np.arange(*columns.indices(width))


class Again(Task):
    """What tiles are to refine again: what is unknown and stale. Across `OVER` pixels beside it
    their alpha goes over into what was there.
    """

    def __init__(self, trimap: Trimap, stale: BoolArray) -> None:
        super().__init__(trimap)
        window = OVER + 1, OVER + 1
        grown = cv2.dilate(np.where(stale, 255, 0).astype(np.uint8), np.ones(window, np.uint8))
        # In 255ths.
        self._shares = np.asarray(cv2.blur(grown, window), np.uint8)

    def within(self, rows: slice, columns: slice = ALL) -> BoolArray:
        """Where in that part of the picture there is something to refine."""
        return np.asarray(super().within(rows, columns) & (self._shares[rows, columns] > 0))

    def before(self, rows: slice, columns: slice) -> FloatArray:
        """How much what was there counts in that part, where a tile counts 1."""
        share = np.maximum(self._shares[rows, columns] / np.float32(255), LEAST)
        return np.asarray((1 - share) / share, np.float32)


def _between(place: NDArray[Any], cells: int) -> tuple[NDArray[Any], NDArray[Any], FloatArray]:
    """For pixels of a row or column: the cells whose middles they lie between, and how far on."""
    at = (place + 0.5) / CELL - 0.5
    first = np.floor(at).astype(int)
    share = (at - first).astype(np.float32)
    return np.clip(first, 0, cells - 1), np.clip(first + 1, 0, cells - 1), share


def _mixed(one: FloatArray, other: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(one + share * (other - one), np.float32)


def places(task: Task, tiling: Tiling) -> list[tuple[int, int]]:
    """The upper left corners of tiles whose inner parts cover all that is to be refined."""
    height, width = task.trimap.shape
    core = tiling.side - 2 * tiling.context
    found, y = [], 0
    while y < height:
        here = task.within(slice(y, y + core))
        rows = np.flatnonzero(here.any(axis=1))
        if not rows.size or rows[0] > 0:
            y += int(rows[0]) if rows.size else core
            continue
        columns = np.flatnonzero(here.any(axis=0))
        while columns.size:
            x = int(columns[0])
            found.append((_inside(y, tiling, height), _inside(x, tiling, width)))
            columns = columns[columns >= x + core]
        y += core
    return found


def _inside(start: int, tiling: Tiling, length: int) -> int:
    return max(0, min(start - tiling.context, length - tiling.side))


def refine_tiles(
    image: Image,
    task: Task,
    alpha: NDArray[np.float32],
    run: Run,
    ratio: float,
    tiling: Tiling,
    together: int,
) -> int:
    """Writes alpha where the task is, and nowhere else; returns how many tiles it took.

    Height and width are at least a tile's; `together` are given to the network at once.
    """
    side = tiling.side
    near = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    ramp = np.minimum(near / tiling.context, 1).astype(np.float32)
    window = ramp[:, None] * ramp
    # How much counts at each pixel so far.
    counted = np.zeros(task.trimap.shape, np.float16)
    corners = places(task, tiling)
    for part, found in _run_over(corners, image, task.trimap, run, ratio, tiling, together):
        before = counted[part].astype(np.float32)
        before = np.where(before == 0, task.before(*part), before)
        weight = before + window
        counted[part] = weight
        wanted = task.within(*part)
        # A running mean: where nothing counted before, the first tile is all there is.
        step = (window / weight) * (found - alpha[part])
        np.add(alpha[part], step, out=alpha[part], where=wanted)
    return len(corners)


def _run_over(
    corners: Sequence[tuple[int, int]],
    image: Image,
    trimap: Trimap,
    run: Run,
    ratio: float,
    tiling: Tiling,
    together: int,
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.float32]]]:
    """The tiles, and the network's alpha of them."""
    side = tiling.side
    for start in range(0, len(corners), together):
        parts = [
            (slice(y, y + side), slice(x, x + side)) for y, x in corners[start : start + together]
        ]
        pictures = [Image(image[part]) for part in parts]
        found = run(pictures, [Trimap(trimap[part]) for part in parts], ratio)
        yield from zip(parts, found, strict=True)
