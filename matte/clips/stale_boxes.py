"""Which parts of a reused alpha are stale in a clip's next frame, and have to be refined again."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, BoolArray, Trimap
from matte.refiner.tiles import PATCH_SIDE, RefineTask, Tiling, tile_corners

CELL_SIDE_PIXELS = 8  # ages and changes are counted in such squares
# So many compared pixels that changed since a box was refined make it stale. From 24 to 1000
# moved portraits' alpha is as near the truth, to 2 %; their dtSSD grows by up to 3 % at 400, 5 %
# at 1000.
MIN_CHANGED_PIXELS = 400

IntArray = NDArray[np.int64]
Box = tuple[slice, slice]


@dataclass(slots=True, eq=False)
class CellCounts:
    """What is counted for each cell of a frame, (rows, columns).

    `ages` are the frames since it was refined, `changes` the compared pixels that changed since
    then, and `unchanged` is True where none did.
    """

    ages: IntArray
    changes: IntArray
    unchanged: BoolArray

    @classmethod
    def start(cls, height: int, width: int) -> Self:
        """Return the counts of a frame that is refined as a whole: all 0."""
        cells = (-(-height // CELL_SIDE_PIXELS), -(-width // CELL_SIDE_PIXELS))
        none = np.zeros(cells, np.int64)
        return cls(none, none, none == 0)

    def next_frame(self, changes: IntArray) -> "CellCounts":
        """Return the counts of the next frame, in which so many more compared pixels changed."""
        added = self.changes + changes
        return CellCounts(self.ages + 1, added, added == 0)


class StaleBoxes:
    """Chooses what is stale, frame by frame.

    Boxes cover the unknown band. A box is stale as a whole if frames changed in it; and in each
    frame the oldest boxes are, so many that none gets much older than `max_age` frames.
    """

    def __init__(self, max_age: int, refined_long_side: int | None = None) -> None:
        """Start a clip; the refiner sees copies of that long side, or whole frames if None."""
        self._max_age = max_age
        self._refined_long_side = refined_long_side
        self._boxes_due = 0.0

    def mark(self, counts: CellCounts, trimap: Trimap) -> BoolArray:
        """Return which unknown pixels (H, W) to refine again, and reset their cells' counts."""
        stale = np.zeros(trimap.shape, np.bool_)
        counts.unchanged = counts.changes == 0
        for box, changed in self._stale_boxes(counts, trimap):
            stale[box] = True
            if changed:
                counts.unchanged[_cell_box(box)] = False
            counts.ages[_cell_box(box)] = counts.changes[_cell_box(box)] = 0
        stale &= trimap == UNKNOWN
        return stale

    def _stale_boxes(self, counts: CellCounts, trimap: Trimap) -> list[tuple[Box, bool]]:
        """Return the boxes to refine again: True where frames changed, False where just old."""
        side_limit = self._refined_long_side
        scale = max(1.0, max(trimap.shape) / side_limit) if side_limit else 1.0
        side = int(PATCH_SIDE * scale)
        corners = tile_corners(RefineTask(trimap), Tiling(side, 0))
        boxes = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
        band = trimap[::CELL_SIDE_PIXELS, ::CELL_SIDE_PIXELS] == UNKNOWN
        ages = [_mean_where(counts.ages[_cell_box(box)], band[_cell_box(box)]) for box in boxes]
        # A part of a box that is due falls to the next frame.
        due, self._boxes_due = divmod(self._boxes_due + len(boxes) / self._max_age, 1)
        oldest = set(sorted(range(len(boxes)), key=ages.__getitem__, reverse=True)[: int(due)])
        threshold = MIN_CHANGED_PIXELS * scale**2
        changed = [bool(counts.changes[_cell_box(box)].sum() >= threshold) for box in boxes]
        return [(box, changed[n]) for n, box in enumerate(boxes) if changed[n] or n in oldest]


def _cell_box(box: Box) -> Box:
    """Return the rows and columns of the cells that a box of pixels touches."""
    rows, columns = (
        slice(side.start // CELL_SIDE_PIXELS, -(-side.stop // CELL_SIDE_PIXELS)) for side in box
    )
    return rows, columns


def _mean_where(values: IntArray, mask: BoolArray) -> float:
    """Return the mean of the values where the mask is True; 0 where it is nowhere."""
    return float(values[mask].mean()) if mask.any() else 0.0
