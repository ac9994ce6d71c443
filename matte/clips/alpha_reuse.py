"""The alpha of the previous frame, reused in a clip's next frame where it still holds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.clips.motion import Motion
from matte.clips.subject_flow import pixels_at, subject_flow
from matte.imaging.flow import colour_agreement, source_positions, warp
from matte.imaging.resizing import resize
from matte.imaging.sampling import sample_at
from matte.refiner.tiles import PATCH_SIDE, RefineTask, Tiling, tile_corners
from matte.stages import ReusableAlpha

CELL_SIDE_PIXELS = 8  # ages and changes are counted in such squares
# Pixels of the frame: what moves by less is still. It is not sampled between pixels again and
# again, which would blur it, and lags no farther behind than this for each frame.
MAX_STILL_PIXELS = 0.1
COMPARED_STEP = 2  # of rows and columns: only these pixels are compared between frames
MIN_AGREEMENT = 0.5  # where frames agree less, alpha may differ
# So many compared pixels that changed since a box was refined make it stale. From 24 to 1000
# moved portraits' alpha is as near the truth, to 2 %; their dtSSD grows by up to 3 % at 400, 5 %
# at 1000.
MIN_CHANGED_PIXELS = 400
# Blend weight of newly refined alpha in cells where nothing changed: the network sees other
# surroundings in each box, and would have alpha flicker.
RENEWAL_WEIGHT = np.float32(0.1)

IntArray = NDArray[np.int64]
Box = tuple[slice, slice]


class AlphaHistory:
    """The refined alpha of a clip's previous frame, warped to the next one as far as it holds.

    Boxes cover the unknown band. A box is stale as a whole if frames changed in it; and in each
    frame the oldest boxes are, so many that none gets much older than `max_age` frames.
    """

    def __init__(self, max_age: int, refined_long_side: int | None = None) -> None:
        """Start a clip; the refiner sees copies of that long side, or whole frames if None."""
        self._max_age = max_age
        self._refined_long_side = refined_long_side
        self._boxes_due = 0.0
        self._motion: Motion | None = None
        self._previous: _RefinedFrame | None = None
        self._current: _RefinedFrame | None = None

    def start_frame(self, motion: Motion) -> None:
        """Begin the next frame: to be called first, for each frame of the clip."""
        self._motion = motion
        refined = self._current is not None and self._current.alpha is not None
        self._previous, self._current = self._current if refined else None, None

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        """Return the previous frame's alpha, warped to this one, and where it is stale (H, W).

        None where a scene starts, or the previous frame was not refined.
        """
        assert self._motion is not None  # start_frame() comes first
        motion, previous = self._motion, self._previous
        current = self._current = _unrefined_frame(motion.colours.local_means())
        if motion.starts_scene or previous is None or previous.alpha is None:
            return None
        if previous.alpha.shape != trimap.shape:
            return None
        flow = _alpha_flow(motion, previous.alpha)
        alpha = _warp_unknown(previous.alpha, flow, trimap)
        current.ages = previous.ages + 1
        current.changes = previous.changes + _count_changes(previous, current, alpha, flow, trimap)
        stale = self._mark_stale(current, trimap)
        current.remember_renewed(alpha, stale)
        return ReusableAlpha(alpha, stale)

    def update(self, alpha: Alpha) -> Alpha:
        """Remember and return the refined alpha of the frame of the last warped_alpha().

        Where it was refined only for its age, it is blended with the warped alpha, mostly that.
        The array is changed in place.
        """
        if self._current is not None:
            at, past = self._current.renewed, self._current.renewed_alpha
            alpha.ravel()[at] = past + RENEWAL_WEIGHT * (alpha.take(at) - past)
            self._current.alpha = alpha
        return alpha

    def _mark_stale(self, frame: "_RefinedFrame", trimap: Trimap) -> BoolArray:
        """Return which unknown pixels (H, W) to refine again, and reset their cells' counts."""
        stale = np.zeros(trimap.shape, np.bool_)
        frame.unchanged = frame.changes == 0
        for box, changed in self._stale_boxes(frame, trimap):
            stale[box] = True
            if changed:
                frame.unchanged[_cell_box(box)] = False
            frame.ages[_cell_box(box)] = frame.changes[_cell_box(box)] = 0
        stale &= trimap == UNKNOWN
        return stale

    def _stale_boxes(self, frame: "_RefinedFrame", trimap: Trimap) -> list[tuple[Box, bool]]:
        """Return the boxes to refine again: True where frames changed, False where just old."""
        side_limit = self._refined_long_side
        scale = max(1.0, max(trimap.shape) / side_limit) if side_limit else 1.0
        side = int(PATCH_SIDE * scale)
        corners = tile_corners(RefineTask(trimap), Tiling(side, 0))
        boxes = [(slice(y, y + side), slice(x, x + side)) for y, x in corners]
        band = trimap[::CELL_SIDE_PIXELS, ::CELL_SIDE_PIXELS] == UNKNOWN
        ages = [_mean_where(frame.ages[_cell_box(box)], band[_cell_box(box)]) for box in boxes]
        # A part of a box that is due falls to the next frame.
        due, self._boxes_due = divmod(self._boxes_due + len(boxes) / self._max_age, 1)
        oldest = set(sorted(range(len(boxes)), key=ages.__getitem__, reverse=True)[: int(due)])
        threshold = MIN_CHANGED_PIXELS * scale**2
        changed = [bool(frame.changes[_cell_box(box)].sum() >= threshold) for box in boxes]
        return [(box, changed[n]) for n, box in enumerate(boxes) if changed[n] or n in oldest]


@dataclass(slots=True, eq=False)
class _RefinedFrame:
    """A frame's alpha, and for each cell its age and how much changed since it was refined.

    `mean_colours` are (H, W, 3). `ages` counts the frames since a cell was refined, `changes` the
    compared pixels that changed since then, and `unchanged` is True where none did; `alpha` comes
    once it is refined. `renewed` are the flat indices of pixels that are refined for their age
    alone, `renewed_alpha` their warped alpha.
    """

    mean_colours: NDArray[np.uint8]
    ages: IntArray
    changes: IntArray
    unchanged: BoolArray
    alpha: Alpha | None = None
    renewed: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    renewed_alpha: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))

    def remember_renewed(self, alpha: Alpha, stale: BoolArray) -> None:
        """Remember the pixels that are refined for their age alone, and their warped alpha."""
        at = np.flatnonzero(stale)
        rows, columns = np.divmod(at, stale.shape[1])
        self.renewed = at[self.unchanged[rows // CELL_SIDE_PIXELS, columns // CELL_SIDE_PIXELS]]
        self.renewed_alpha = alpha.take(self.renewed)


def _unrefined_frame(mean_colours: NDArray[np.uint8]) -> _RefinedFrame:
    """Return the record of a frame that has no alpha yet, with all counts at 0."""
    height, width = mean_colours.shape[:2]
    cells = (-(-height // CELL_SIDE_PIXELS), -(-width // CELL_SIDE_PIXELS))
    none = np.zeros(cells, np.int64)
    return _RefinedFrame(mean_colours, none, none, none == 0)


def _alpha_flow(motion: Motion, previous: Alpha) -> FloatArray:
    """Return the flow that alpha follows and its blend weights, as subject_flow() does.

    What hardly moves has a flow of 0.
    """
    small = warp(resize(previous, *motion.shape), motion.flow)
    flow = subject_flow(motion, small, np.ones_like(small))
    still = MAX_STILL_PIXELS * flow.shape[1] / previous.shape[1]
    moves = (np.abs(flow[:, :, 0]) >= still) | (np.abs(flow[:, :, 1]) >= still)
    flow[:, :, :2] *= moves[:, :, None]
    return flow


def _warp_unknown(previous: Alpha, flow: FloatArray, trimap: Trimap) -> Alpha:
    """Return alpha (H, W): the previous one warped along the flow in the band, else the trimap."""
    at = np.flatnonzero(trimap == UNKNOWN)
    positions, _ = source_positions(flow, at, *trimap.shape)
    alpha = Alpha((trimap == SUBJECT).astype(np.float32))
    alpha.ravel()[at] = np.clip(sample_at(previous, positions, sharp=True), 0, 1)
    return alpha


def _count_changes(
    previous: _RefinedFrame,
    current: _RefinedFrame,
    alpha: Alpha,
    flow: FloatArray,
    trimap: Trimap,
) -> IntArray:
    """Return how many compared pixels of each cell show something else than in the last frame."""
    step = COMPARED_STEP
    y, x = (step * each for each in np.nonzero(trimap[::step, ::step] == UNKNOWN))
    at = y * trimap.shape[1] + x
    positions, weights = source_positions(flow, at, *alpha.shape)
    before = sample_at(previous.mean_colours, positions)
    same = colour_agreement(pixels_at(current.mean_colours, at), before)
    # Around the subject the background may change; the subject itself must look the same.
    agreement = weights[:, 0] * same + weights[:, 1] * (1 - np.take(alpha, at) * (1 - same))
    height, width = current.changes.shape
    cells = y // CELL_SIDE_PIXELS * width + x // CELL_SIDE_PIXELS
    counts = np.bincount(cells[agreement < MIN_AGREEMENT], minlength=height * width)
    return counts.reshape(height, width)


def _cell_box(box: Box) -> Box:
    """Return the rows and columns of the cells that a box of pixels touches."""
    rows, columns = (
        slice(side.start // CELL_SIDE_PIXELS, -(-side.stop // CELL_SIDE_PIXELS)) for side in box
    )
    return rows, columns


def _mean_where(values: IntArray, mask: BoolArray) -> float:
    """Return the mean of the values where the mask is True; 0 where it is nowhere."""
    return float(values[mask].mean()) if mask.any() else 0.0
