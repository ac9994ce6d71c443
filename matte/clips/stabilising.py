"""Alphas of a clip's frames, stabilised: they flicker less, and nothing trails behind what moves.

A stabiliser keeps what it needs of a few frames before. Each clip has one of its own, which gets
every frame, in order.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, FloatArray
from matte.clips.despeckling import Despeckler
from matte.clips.motion import Motion
from matte.clips.subject_flow import pixels_at, subject_flow
from matte.errors import SettingError
from matte.imaging.flow import colour_agreement, source_positions
from matte.imaging.resizing import resize
from matte.imaging.sampling import sample_at

TemporalMode = Literal["off", "ofd", "flow"]
AlphaT = TypeVar("AlphaT")

MIN_ALPHA_CHANGE = 0.01  # alpha nearer than this to 0, 1 or its past value stays as it is
MAX_ALPHA_DIFFERENCE = 0.1  # between alphas that agree: ξ of MODNet's de-flicker
# Side of the window around alpha's edge that is stabilised, in pixels of the small copy. What
# changes farther away is the segmenter's decision, and would only fade.
EDGE_WINDOW_PIXELS = 9


class Stabiliser(Protocol):
    """Stabilises the alphas of a clip, frame after frame."""

    def stabilise(self, alpha: Alpha, motion: Motion) -> Alpha | None:
        """Take a frame's alpha, and return the next one that is ready; None if none is yet.

        Alphas come out in the order of the frames, one for each, though maybe some frames later.
        """
        ...

    def pending_alpha(self) -> Alpha | None:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        ...


class NoStabiliser:
    """Leaves alphas as they are, of whatever kind."""

    def stabilise(self, alpha: AlphaT, motion: object) -> AlphaT:
        """Return the alpha itself."""
        return alpha

    def pending_alpha(self) -> None:
        """Return None: no alpha comes late."""


class NeighbourStabiliser:
    """Takes the mean of the alphas before and after a frame where these agree, one frame late.

    It does so where the frame's alpha differs from both. Z. Ke et al., "MODNet", AAAI 2022, do so
    whatever the frames show; here the frames must agree too, or what swings past would be lost.
    """

    def __init__(self) -> None:
        self._frames: list[_AlphaFrame] = []

    def stabilise(self, alpha: Alpha, motion: Motion) -> Alpha | None:
        """Return the stabilised alpha of the frame before this one; None at the first frame."""
        self._frames = [
            *self._frames[-2:],
            _AlphaFrame(alpha, motion, motion.colours.local_means()),
        ]
        if len(self._frames) == 3:
            return _neighbour_mean(*self._frames)
        return self._frames[0].alpha if len(self._frames) == 2 else None

    def pending_alpha(self) -> Alpha | None:
        """Return the last frame's alpha, once."""
        last, self._frames = self._frames[-1:], []
        return last[0].alpha if last else None


@dataclass(frozen=True, slots=True, eq=False)
class _AlphaFrame:
    """A frame's alpha, its motion and its local mean colours."""

    alpha: Alpha
    motion: Motion
    mean_colours: NDArray[np.uint8]


def _neighbour_mean(before: _AlphaFrame, now: _AlphaFrame, after: _AlphaFrame) -> Alpha:
    """Return the middle frame's alpha, with its neighbours' mean where it alone differs."""
    shape = now.alpha.shape
    same_size = before.alpha.shape == shape == after.alpha.shape
    if now.motion.starts_scene or after.motion.starts_scene or not same_size:
        return now.alpha
    to_before = cv2.absdiff(now.alpha, before.alpha)
    to_after = cv2.absdiff(now.alpha, after.alpha)
    stands_out = np.minimum(to_before, to_after) > MAX_ALPHA_DIFFERENCE
    neighbours_agree = cv2.absdiff(before.alpha, after.alpha) <= MAX_ALPHA_DIFFERENCE
    at = np.flatnonzero(stands_out & neighbours_agree)
    colours = [pixels_at(frame.mean_colours, at) for frame in (before, now, after)]
    weight = np.minimum(
        colour_agreement(colours[1], colours[0]), colour_agreement(colours[1], colours[2])
    )
    # A thing that swings past may have the colours of the background, here and there.
    followed = np.minimum(now.motion.agreement, after.motion.agreement)
    weight *= np.take(resize(followed, *shape), at)
    mean = (np.take(before.alpha, at) + np.take(after.alpha, at)) / 2
    stabilised = now.alpha.copy()
    stabilised.ravel()[at] += weight * (mean - np.take(now.alpha, at))
    return Alpha(stabilised)


class AverageStabiliser:
    """Makes alpha an exponential moving average along the motion, where it is soft or changes.

    The past counts as far as the frames agree: pixels that come into sight, or that flow can't
    follow, count alone.
    """

    def __init__(self) -> None:
        self._alpha: Alpha | None = None
        self._mean_colours: NDArray[np.uint8] | None = None

    def stabilise(self, alpha: Alpha, motion: Motion) -> Alpha:
        """Return the frame's alpha, stabilised."""
        previous, previous_colours = self._alpha, self._mean_colours
        colours = self._mean_colours = motion.colours.local_means()
        self._alpha = alpha
        if motion.starts_scene or previous is None or previous_colours is None:
            return alpha
        if previous.shape != alpha.shape:
            return alpha
        small = resize(alpha, *motion.shape)
        at = _unstable_pixels(small, alpha, previous)
        flow = subject_flow(motion, small, motion.history_weight)
        positions, weights = source_positions(flow, at, *alpha.shape)
        past = np.clip(sample_at(previous, positions, sharp=True), 0, 1)
        same = colour_agreement(pixels_at(colours, at), sample_at(previous_colours, positions))
        # Around the subject the background may change; the subject itself must look the same.
        weight = weights[:, 0] * same + weights[:, 1] * (1 - past * (1 - same))
        now = np.take(alpha, at)
        stabilised = alpha.copy()
        stabilised.ravel()[at] = now + weight * (past - now)
        self._alpha = Alpha(stabilised)
        return self._alpha

    def pending_alpha(self) -> None:
        """Return None: no alpha comes late."""


def alpha_edge(small: FloatArray) -> BoolArray:
    """Return where a small copy of alpha (h, w) has its edge nearby."""
    kernel = np.ones((EDGE_WINDOW_PIXELS, EDGE_WINDOW_PIXELS), np.uint8)
    return np.asarray(cv2.dilate(small, kernel) - cv2.erode(small, kernel) > MIN_ALPHA_CHANGE)


def _unstable_pixels(small: FloatArray, alpha: Alpha, previous: Alpha) -> NDArray[np.intp]:
    """Return the flat indices of pixels near alpha's edge where it is soft, or changed.

    `small` is alpha at the motion's size: it shows where the edge is.
    """
    height, width = alpha.shape
    nearest = cv2.INTER_NEAREST
    edge = alpha_edge(small).view(np.uint8)
    near = np.asarray(cv2.resize(edge, (width, height), interpolation=nearest), np.uint8)
    at = np.flatnonzero(near.view(np.bool_))
    now = np.take(alpha, at)
    soft = np.abs(now - np.float32(0.5)) < 0.5 - MIN_ALPHA_CHANGE
    changes = np.abs(now - np.take(previous, at)) > MIN_ALPHA_CHANGE
    return np.asarray(at[soft | changes], np.intp)


STABILISERS: dict[str, type[NoStabiliser] | type[NeighbourStabiliser] | type[AverageStabiliser]] = {
    "off": NoStabiliser,
    "ofd": NeighbourStabiliser,
    "flow": AverageStabiliser,
}


class DespecklingStabiliser:
    """Takes flecks out of alphas before they are stabilised, which would make them last longer."""

    def __init__(self, despeckler: Despeckler, stabiliser: Stabiliser) -> None:
        self._despeckler, self._stabiliser = despeckler, stabiliser

    def stabilise(self, alpha: Alpha, motion: Motion) -> Alpha | None:
        """Take a frame's alpha, and return the next one that is ready; None if none is yet."""
        clean = self._despeckler.clean(alpha, motion)
        return None if clean is None else self._stabiliser.stabilise(*clean)

    def pending_alpha(self) -> Alpha | None:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        while (clean := self._despeckler.pending()) is not None:
            found = self._stabiliser.stabilise(*clean)
            if found is not None:
                return found
        return self._stabiliser.pending_alpha()


def make_stabiliser(mode: TemporalMode, despeckler: Despeckler | None = None) -> Stabiliser:
    """Return a new stabiliser for one clip: "off", "ofd" or "flow", as `--temporal` names them.

    The `despeckler` takes flecks out first; None: they stay.
    """
    if mode not in STABILISERS:
        raise SettingError(f"mode {mode!r} is not known", "give " + ", ".join(STABILISERS))
    stabiliser: Stabiliser = STABILISERS[mode]()
    return stabiliser if despeckler is None else DespecklingStabiliser(despeckler, stabiliser)
