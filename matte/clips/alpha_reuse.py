"""Alpha of the frame before, kept where it still holds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.clips.motion import Movement
from matte.clips.subject_flow import led_by_subject, taken
from matte.imaging.flow import colour_agreement, local_mean_colours, source_positions, warp
from matte.imaging.resizing import resize
from matte.imaging.sampling import sample_at
from matte.refiner.tiles import PATCH_SIDE, RefineTask, Tiling, tile_corners
from matte.stages import ReusableAlpha

CELL = 8  # pixels on each side of what has an age
# Pixels of the picture: what moves by less is still. It is not sampled between pixels again and
# again, which would blur it, and lags no farther behind than this for each frame.
STILL = 0.1
EVERY = 2  # rows and columns a pixel is looked at, whether the frames agree there
AGREES = 0.5  # where they agree less, alpha may differ
# So many pixels looked at that differed since a box was refined make it stale. From 24 to 1000
# moved portraits' alpha is as near the truth, to 2 %; their dtSSD grows by up to 3 % at 400, 5 %
# at 1000.
LEAST = 400
# How much of what is found anew counts in cells where nothing differed: the network sees other
# surroundings in each box, and would have alpha flicker.
RENEWED = np.float32(0.1)

Counts = NDArray[np.int64]
Box = tuple[slice, slice]


class Kept:
    """What of a clip's alpha still holds in the next frame, where that has moved to.

    Boxes cover the unknown band. One is stale as a whole if frames differed in it; and in each
    frame the oldest are, so many that none gets much older than `frames`.
    """

    def __init__(self, frames: int, size: int = 0) -> None:
        """`size`: the long side at which the refiner sees larger frames; 0, their own."""
        self._frames = frames
        self._size = size
        self._due = 0.0
        self._movement: Movement | None = None
        self._before: _Frame | None = None
        self._now: _Frame | None = None

    def follow(self, movement: Movement) -> None:
        """To be told of each frame, first."""
        self._movement = movement
        learnt = self._now is not None and self._now.alpha is not None
        self._before, self._now = self._now if learnt else None, None

    def warped(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        """The alpha of the frame before where it has moved to, and where it is stale (H, W); None
        where a scene begins, or nothing was learnt of the frame before.
        """
        height, width = trimap.shape
        movement, before, seen = self._movement, self._before, local_mean_colours(image)
        none = np.zeros((-(-height // CELL), -(-width // CELL)), np.int64)
        self._now = now = _Frame(seen, none, none)
        if movement is None or movement.begins or before is None or before.alpha is None:
            return None
        if before.alpha.shape != trimap.shape:
            return None
        led = _led(movement, before.alpha)
        unknown = trimap == UNKNOWN
        at = np.flatnonzero(unknown)
        was = sample_at(before.alpha, source_positions(led, at, height, width)[0], sharp=True)
        alpha = Alpha((trimap == SUBJECT).astype(np.float32))
        alpha.ravel()[at] = np.clip(was, 0, 1)
        y, x = (EVERY * each for each in np.nonzero(unknown[::EVERY, ::EVERY]))
        differs = _differs(alpha, led, seen, before.windows, y * width + x)
        cell = y // CELL * none.shape[1] + x // CELL
        now.ages = before.ages + 1
        now.differed = before.differed + _counted(cell[differs], none.shape)
        stale, calm = np.zeros(trimap.shape, np.bool_), now.differed == 0
        for box, changed in self._stale(trimap, now):
            stale[box] = True
            if changed:
                calm[_cells(box)] = False
            now.ages[_cells(box)] = now.differed[_cells(box)] = 0
        stale &= unknown
        at = np.flatnonzero(stale)
        rows, columns = np.divmod(at, width)
        now.calm = at[calm[rows // CELL, columns // CELL]]
        now.was = alpha.take(now.calm)
        return ReusableAlpha(alpha, stale)

    def update(self, alpha: Alpha) -> Alpha:
        """Takes what the refiner found in the picture that warped() was asked for; gives what is to
        be believed: where nothing but time passed, what was counts on.
        """
        if self._now is not None:
            calm, was = self._now.calm, self._now.was
            alpha.ravel()[calm] = was + RENEWED * (alpha.take(calm) - was)
            self._now.alpha = alpha
        return alpha

    def _stale(self, trimap: Trimap, now: "_Frame") -> list[tuple[Box, bool]]:
        """The boxes to refine again, and whether frames differed there."""
        scale = max(1.0, max(trimap.shape) / self._size) if self._size else 1.0
        side = int(PATCH_SIDE * scale)
        corners = tile_corners(RefineTask(trimap), Tiling(side, 0))
        boxes = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
        band = trimap[::CELL, ::CELL] == UNKNOWN
        ages = [_mean(now.ages[_cells(box)], band[_cells(box)]) for box in boxes]
        # A part of a box that is due falls to the next frame.
        due, self._due = divmod(self._due + len(boxes) / self._frames, 1)
        oldest = set(sorted(range(len(boxes)), key=ages.__getitem__, reverse=True)[: int(due)])
        changed = [bool(now.differed[_cells(box)].sum() >= LEAST * scale**2) for box in boxes]
        return [(box, changed[n]) for n, box in enumerate(boxes) if changed[n] or n in oldest]


@dataclass(slots=True, eq=False)
class _Frame:
    """A frame's windows; of cells, for how many frames alpha is kept there, and how many pixels
    differed meanwhile; and alpha, once it is found.
    """

    windows: NDArray[np.uint8]
    ages: Counts
    differed: Counts
    alpha: Alpha | None = None
    calm: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    """Pixels, by flat indices, that are refined again for their age alone."""
    was: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    """The alpha that was kept there."""


def _led(movement: Movement, before: Alpha) -> FloatArray:
    """The way back that alpha goes, and how much counts of what it leads to; what is still doesn't
    move at all.
    """
    small = warp(resize(before, *movement.agrees.shape), movement.flow)
    led = led_by_subject(movement, small, np.ones_like(small))
    least = STILL * led.shape[1] / before.shape[1]
    moves = (np.abs(led[:, :, 0]) >= least) | (np.abs(led[:, :, 1]) >= least)
    led[:, :, :2] *= moves[:, :, None]
    return led


def _differs(
    alpha: Alpha, led: FloatArray, seen: NDArray[np.uint8], before: NDArray[np.uint8], at: Counts
) -> BoolArray:
    """Which of the pixels, by flat indices, don't show what they showed in the frame before."""
    places, agrees = source_positions(led, at, *alpha.shape)
    same = colour_agreement(taken(seen, at), sample_at(before, places))
    # Around the subject what is behind it may change; what was the subject must look the same.
    holds = agrees[:, 0] * same + agrees[:, 1] * (1 - np.take(alpha, at) * (1 - same))
    return np.asarray(holds < AGREES)


def _counted(cell: Counts, shape: tuple[int, ...]) -> Counts:
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _cells(box: Box) -> Box:
    """The cells in and across the borders of a box."""
    rows, columns = (slice(side.start // CELL, -(-side.stop // CELL)) for side in box)
    return rows, columns


def _mean(values: Counts, where: BoolArray) -> float:
    return float(values[where].mean()) if where.any() else 0.0
