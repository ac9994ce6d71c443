"""The alpha of the previous frame, reused in a clip's next frame where it still holds."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.clips.motion import Motion
from matte.clips.stale_boxes import CELL_SIDE_PIXELS, CellCounts, IntArray, StaleBoxes
from matte.clips.subject_flow import pixels_at, subject_flow
from matte.imaging.flow import colour_agreement, source_positions, warp
from matte.imaging.resizing import resize
from matte.imaging.sampling import sample_at
from matte.stages import ReusableAlpha

# Pixels of the frame: what moves by less is still. It is not sampled between pixels again and
# again, which would blur it, and lags no farther behind than this for each frame.
MAX_STILL_PIXELS = 0.1
COMPARED_STEP = 2  # of rows and columns: only these pixels are compared between frames
MIN_AGREEMENT = 0.5  # where frames agree less, alpha may differ
# Blend weight of newly refined alpha in cells where nothing changed: the network sees other
# surroundings in each box, and would have alpha flicker.
RENEWAL_WEIGHT = np.float32(0.1)


class AlphaHistory:
    """The refined alpha of a clip's previous frame, warped to the next one as far as it holds.

    What is stale of it is up to `StaleBoxes`.
    """

    def __init__(self, max_age: int, refined_long_side: int | None = None) -> None:
        """Start a clip; the refiner sees copies of that long side, or whole frames if None."""
        self._boxes = StaleBoxes(max_age, refined_long_side)
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
        current = self._current = _RefinedFrame(
            motion.colours.local_means(), CellCounts.start(*trimap.shape)
        )
        if motion.starts_scene or previous is None or previous.alpha is None:
            return None
        if previous.alpha.shape != trimap.shape:
            return None
        small = warp(resize(previous.alpha, *motion.shape), motion.flow)
        flow = alpha_flow(motion, small, previous.alpha.shape[1])
        alpha = _warp_unknown(previous.alpha, flow, trimap)
        changes = _count_changes(previous, current, alpha, flow, trimap)
        current.counts = previous.counts.next_frame(changes)
        stale = self._boxes.mark(current.counts, trimap)
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


@dataclass(slots=True, eq=False)
class _RefinedFrame:
    """A frame's alpha, and what its cells count.

    `mean_colours` are (H, W, 3); `alpha` comes once it is refined. `renewed` are the flat indices
    of pixels that are refined for their age alone, `renewed_alpha` their warped alpha.
    """

    mean_colours: NDArray[np.uint8]
    counts: CellCounts
    alpha: Alpha | None = None
    renewed: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    renewed_alpha: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))

    def remember_renewed(self, alpha: Alpha, stale: BoolArray) -> None:
        """Remember the pixels that are refined for their age alone, and their warped alpha."""
        at = np.flatnonzero(stale)
        rows, columns = np.divmod(at, stale.shape[1])
        cells = rows // CELL_SIDE_PIXELS, columns // CELL_SIDE_PIXELS
        self.renewed = at[self.counts.unchanged[cells]]
        self.renewed_alpha = alpha.take(self.renewed)


def alpha_flow(motion: Motion, small: FloatArray, width: int) -> FloatArray:
    """Return the flow that alpha follows and its blend weights, as subject_flow() does.

    `small` is the previous alpha at the motion's size, warped to this frame, of `width` pixels.
    What hardly moves has a flow of 0.
    """
    flow = subject_flow(motion, small, np.ones_like(small))
    still = MAX_STILL_PIXELS * flow.shape[1] / width
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
    height, width = current.counts.changes.shape
    cells = y // CELL_SIDE_PIXELS * width + x // CELL_SIDE_PIXELS
    counts = np.bincount(cells[agreement < MIN_AGREEMENT], minlength=height * width)
    return counts.reshape(height, width)
