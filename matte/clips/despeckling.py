"""Flecks of a clip's alphas: small parts and small holes that last for a frame or two.

A part is a fleck if nothing of alpha is near it, so that hair, which is thin but hangs together
with the subject, is none. Parts of successive frames are one where the flow leads from one to the
other, so that what is small but stays, such as a detached strand or a ball, is none either.
"""

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray
from matte.clips.motion import Motion
from matte.imaging.flow import Flow

MIN_ALPHA = 0.01  # what is nearer to 0 or 1 is no part and no hole
MAX_FLECK_SHARE = 0.002  # of the frame: what is larger is no fleck
# In cells of the small copy: parts whose gap this kernel closes, of two cells, hang together; and
# so far from where the flow leads a part may be found again.
GAP_KERNEL = np.ones((3, 3), np.uint8)
MAX_LINK_CELLS = 2
# Frames wait until it is known how long their parts last: this bounds the memory, 18 bytes each.
MAX_WAITING_PIXELS = 8_000_000


@dataclass(slots=True, eq=False)
class _Part:
    """A connected part in one frame, and the parts of the frame before that it goes on from."""

    age: int = 1  # frames since it came into sight
    lasts: bool = False
    before: list["_Part"] = field(default_factory=list)

    def keep(self) -> None:
        """Mark this part, and all that it goes on from, as lasting."""
        self.lasts = True
        for part in self.before:
            if not part.lasts:
                part.keep()
        self.before = []


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The parts of one frame: `labels` (h, w) has 0 where none is, n + 1 where `found[n]` is."""

    labels: NDArray[np.int32]
    found: list[_Part]


@dataclass(frozen=True, slots=True, eq=False)
class _WaitingFrame:
    """A frame of which it is not known yet which of its parts and holes last."""

    alpha: Alpha
    motion: Motion
    parts: _Parts
    holes: _Parts


class Despeckler:
    """Takes flecks out of a clip's alphas, which come out in order, up to `delay` frames late.

    Without a delay, what comes into sight as a small part of its own is shown once it has lasted.
    """

    def __init__(self, max_frames: int, delay: int) -> None:
        """Start a clip; what lasts for `max_frames` frames or fewer is a fleck."""
        self._max_frames, self._delay = max_frames, delay
        self._waiting: deque[_WaitingFrame] = deque()
        self._parts: _Parts | None = None
        self._holes: _Parts | None = None

    def clean(self, alpha: Alpha, motion: Motion) -> tuple[Alpha, Motion] | None:
        """Take a frame's alpha, and return the next clean one with its frame's motion, if ready."""
        before = (None, None) if motion.starts_scene else (self._parts, self._holes)
        self._parts = self._follow(alpha > MIN_ALPHA, motion, before[0])
        self._holes = self._follow(alpha < 1 - MIN_ALPHA, motion, before[1])
        self._waiting.append(_WaitingFrame(alpha, motion, self._parts, self._holes))
        return self._release() if len(self._waiting) > self._delay else None

    def pending(self) -> tuple[Alpha, Motion] | None:
        """Return, after the last frame, the next clean alpha that is still to come, if there is."""
        return self._release() if self._waiting else None

    def _release(self) -> tuple[Alpha, Motion]:
        """Return the first alpha that waits, without its flecks, and its motion."""
        frame = self._waiting.popleft()
        alpha = frame.alpha
        for parts, surroundings in ((frame.parts, 0), (frame.holes, 1)):
            cells = _fleck_cells(parts)
            if cells.any():
                flecks = _in_full_size(cells, alpha.shape)
                alpha = Alpha(np.where(flecks, np.float32(surroundings), alpha))
        return alpha, frame.motion

    def _follow(self, present: BoolArray, motion: Motion, before: _Parts | None) -> _Parts:
        """Return the parts of a frame (H, W), each of which goes on from parts of the one before.

        Those that are large, or have lasted, are marked as lasting.
        """
        labels, areas = _label(_cells(present, motion.shape))
        limit = MAX_FLECK_SHARE * labels.size
        parts = _Parts(labels, [_Part(lasts=bool(area > limit)) for area in areas])
        if before is not None:
            for now, then in _links(parts, before, motion.flow):
                part, origin = parts.found[now - 1], before.found[then - 1]
                part.age = max(part.age, origin.age + 1)
                part.lasts = part.lasts or origin.lasts
                part.before.append(origin)
        for part in parts.found:
            if part.lasts or part.age > self._max_frames:
                part.keep()
        return parts


def despeckling_delay(max_frames: int, size: tuple[int, int]) -> int:
    """Return how many frames of a `size` may wait to find flecks of up to `max_frames` frames."""
    return min(max_frames, max(1, MAX_WAITING_PIXELS // (size[0] * size[1])))


def _cells(present: BoolArray, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a small copy (h, w) that is 1 where any pixel of a cell is present."""
    rows, columns = (_cell_sides(*each) for each in zip(shape, present.shape, strict=True))
    kernel = np.ones((rows.max(), columns.max()), np.uint8)
    nothing = cv2.BORDER_CONSTANT
    found = cv2.dilate(present.view(np.uint8), kernel, anchor=(0, 0), borderType=nothing)
    return np.asarray(found[np.ix_(rows.cumsum() - rows, columns.cumsum() - columns)], np.uint8)


def _cell_sides(small: int, large: int) -> NDArray[np.intp]:
    """Return the pixels of each cell along a side of `large` pixels that has `small` cells."""
    return np.diff(np.arange(small + 1) * large // small)


def _in_full_size(cells: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    """Return the pixels (H, W) of a small copy's cells."""
    rows, columns = (_cell_sides(*each) for each in zip(cells.shape, shape, strict=True))
    return np.repeat(np.repeat(cells, rows, axis=0), columns, axis=1)


def _label(cells: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the labels (h, w) of the connected parts, 1 … n, and the area of each in cells."""
    count, labels = cv2.connectedComponents(cv2.dilate(cells, GAP_KERNEL))
    labels = np.asarray(labels, np.int32) * cells
    return labels, np.bincount(labels.ravel(), minlength=count)[1:]


def _links(parts: _Parts, before: _Parts, flow: Flow) -> list[tuple[int, int]]:
    """Return which parts of a frame go on from which of the frame before, as pairs of labels.

    Of two parts that both last already, nothing has to be known.
    """
    height, width = parts.labels.shape
    if before.labels.shape != parts.labels.shape:
        return []
    unsure, unsure_before = _fleck_cells(parts), _fleck_cells(before)
    if not (unsure.any() or unsure_before.any()):
        return []
    side = 2 * MAX_LINK_CELLS + 1
    near_unsure = cv2.dilate(unsure_before.view(np.uint8), np.ones((side, side), np.uint8))
    y, x = np.nonzero(parts.labels)
    steps = np.rint(flow[y, x]).astype(np.intp)
    rows, columns = y + steps[:, 1], x + steps[:, 0]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    y, x, rows, columns = (each[inside] for each in (y, x, rows, columns))
    matters = unsure[y, x] | near_unsure[rows, columns].view(np.bool_)
    down, right = np.indices((side, side)).reshape(2, -1, 1) - MAX_LINK_CELLS
    then = before.labels[
        np.clip(rows[matters] + down, 0, height - 1),
        np.clip(columns[matters] + right, 0, width - 1),
    ]
    now = np.broadcast_to(parts.labels[y, x][matters], then.shape)
    count = len(before.found) + 1
    pairs = np.unique((now.astype(np.int64) * count + then)[then > 0])
    return [divmod(pair, count) for pair in pairs.tolist()]


def _fleck_cells(parts: _Parts) -> BoolArray:
    """Return the cells (h, w) of the parts of which it isn't known that they last."""
    flecks = np.array([False, *(not part.lasts for part in parts.found)])
    return np.asarray(flecks[parts.labels])
