"""Frames' confidences and alphas made steady: nothing trails, and memory is a few frames.

A frame's way: movement's `Watcher` tells how it came from the one before, `SteadyConfidence`
steadies what the segmenter says, and one of `STEADY` what the refiner made of it. Each keeps what
it needs of the frames before; frames come in order, and may be at the three at once.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, FloatArray, Image
from matte.clips.motion import Movement
from matte.clips.subject_flow import led_by_subject, taken
from matte.errors import SettingError
from matte.imaging.flow import colour_agreement, local_mean_colours, source_positions
from matte.imaging.resizing import resize
from matte.imaging.sampling import sample_at

Mode = Literal["off", "ofd", "flow"]

CHANGED = 0.01  # alpha that is so near 0, 1 and what it was is left alone
ALIKE = 0.1  # how near alphas are that agree: ξ of MODNet's de-flicker
# So near its edge alpha is steadied, in pixels of the small copy across. What changes farther away
# is the segmenter's decision, and would only fade.
BAND = 9


class SteadyConfidence:
    """A running mean of the confidence that goes with what moves: edges of the mask don't flip."""

    def __init__(self, blends: bool = True) -> None:
        """Unless it `blends`, it only remembers: each frame's confidence counts alone."""
        self._blends = blends
        self._before: FloatArray | None = None

    def next(self, confidence: Confidence, movement: Movement) -> Confidence:
        """The frame's confidence, steadied."""
        # Confidence is as coarse as the segmenter's network: its change is found in the small copy.
        now, before = resize(confidence, *movement.agrees.shape), self.warp(movement)
        self._before = now
        if before is None or not self._blends:
            return confidence
        change = movement.kept * movement.agrees * (before - now)
        self._before = now + change
        return Confidence(np.clip(confidence + resize(change, *confidence.shape), 0, 1))

    def warp(self, movement: Movement) -> FloatArray | None:
        """What was known, small, where it is now; None where a scene begins."""
        if self._before is None or movement.begins:
            return None
        return movement.warp(self._before)

    def take(self, small: FloatArray) -> None:
        """Takes what was carried for what is known of this frame."""
        self._before = small


class Steady(Protocol):
    """Steadies alphas, frame after frame."""

    delay: int
    """How many frames later a frame's alpha comes."""

    def next(self, image: Image, alpha: Alpha, movement: Movement) -> Alpha | None:
        """The alpha of the frame `delay` before this one; None where there was none."""
        ...

    def last(self) -> Alpha | None:
        """After the last frame: the alpha that is still to come, if there is one."""
        ...


class Off:
    """Leaves alphas as they are."""

    delay = 0

    def next(self, image: Image, alpha: Alpha, movement: Movement) -> Alpha:
        """The alpha."""
        return alpha

    def last(self) -> None:
        """None is to come."""


class Deflickered:
    """Where the alphas before and after a frame agree, and the frame's differs from both, it is
    their mean: one frame later.

    Z. Ke et al., "MODNet", AAAI 2022, do so whatever the frames show; here they must agree too, or
    what swings past would be lost.
    """

    delay = 1

    def __init__(self) -> None:
        self._frames: list[_Frame] = []

    def next(self, image: Image, alpha: Alpha, movement: Movement) -> Alpha | None:
        """The alpha of the frame before this one, steadied."""
        self._frames = [*self._frames[-2:], _Frame(local_mean_colours(image), alpha, movement)]
        if len(self._frames) == 3:
            return _between(*self._frames)
        return self._frames[0].alpha if len(self._frames) == 2 else None

    def last(self) -> Alpha | None:
        """The last frame's alpha."""
        return self._frames[-1].alpha if self._frames else None


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    windows: NDArray[np.uint8]
    alpha: Alpha
    movement: Movement


def _between(before: _Frame, now: _Frame, after: _Frame) -> Alpha:
    """The middle one's alpha, where it stands out, that of the others."""
    shape = now.alpha.shape
    same_size = before.alpha.shape == shape == after.alpha.shape
    if now.movement.begins or after.movement.begins or not same_size:
        return now.alpha
    to_before = cv2.absdiff(now.alpha, before.alpha)
    to_after = cv2.absdiff(now.alpha, after.alpha)
    stands_out = np.minimum(to_before, to_after) > ALIKE
    at = np.flatnonzero(stands_out & (cv2.absdiff(before.alpha, after.alpha) <= ALIKE))
    seen = [taken(frame.windows, at) for frame in (before, now, after)]
    agrees = np.minimum(colour_agreement(seen[1], seen[0]), colour_agreement(seen[1], seen[2]))
    # What swings past may have the colours of what is behind it, here and there.
    followed = np.minimum(now.movement.agrees, after.movement.agrees)
    agrees *= np.take(resize(followed, *shape), at)
    mean = (np.take(before.alpha, at) + np.take(after.alpha, at)) / 2
    steadied = now.alpha.copy()
    steadied.ravel()[at] += agrees * (mean - np.take(now.alpha, at))
    return Alpha(steadied)


class Blended:
    """Where alpha is soft or changes it is a running mean that goes with what moves, as far as the
    frames agree: what comes into sight, or moves as flow can't tell, counts alone.
    """

    delay = 0

    def __init__(self) -> None:
        self._alpha: Alpha | None = None
        self._windows: NDArray[np.uint8] | None = None

    def next(self, image: Image, alpha: Alpha, movement: Movement) -> Alpha:
        """The frame's alpha, steadied."""
        before, seen_before = self._alpha, self._windows
        seen = self._windows = local_mean_colours(image)
        self._alpha = alpha
        if movement.begins or before is None or seen_before is None or before.shape != alpha.shape:
            return alpha
        small = resize(alpha, *movement.agrees.shape)
        at = _worth_steadying(small, alpha, before)
        places, counts = source_positions(
            led_by_subject(movement, small, movement.kept), at, *alpha.shape
        )
        was = np.clip(sample_at(before, places, sharp=True), 0, 1)
        same = colour_agreement(taken(seen, at), sample_at(seen_before, places))
        # Around the subject what is behind it may change; what was the subject must look the same.
        weight = counts[:, 0] * same + counts[:, 1] * (1 - was * (1 - same))
        now = np.take(alpha, at)
        steadied = alpha.copy()
        steadied.ravel()[at] = now + weight * (was - now)
        self._alpha = Alpha(steadied)
        return self._alpha

    def last(self) -> None:
        """None is to come."""


def _worth_steadying(small: FloatArray, alpha: Alpha, before: Alpha) -> NDArray[np.intp]:
    """The pixels near alpha's edge, as the small copy shows it, where it is soft or changes."""
    around = np.ones((BAND, BAND), np.uint8)
    edge = (cv2.dilate(small, around) - cv2.erode(small, around) > CHANGED).astype(np.uint8)
    height, width = alpha.shape
    near = np.asarray(cv2.resize(edge, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    at = np.flatnonzero(near.view(np.bool_))
    now = np.take(alpha, at)
    soft = np.abs(now - np.float32(0.5)) < 0.5 - CHANGED
    changes = np.abs(now - np.take(before, at)) > CHANGED
    return np.asarray(at[soft | changes], np.intp)


STEADY: dict[str, type[Off] | type[Deflickered] | type[Blended]] = {
    "off": Off,
    "ofd": Deflickered,
    "flow": Blended,
}


def steady(mode: Mode) -> Steady:
    """What steadies a clip's alphas in this mode; every clip takes one of its own."""
    if mode not in STEADY:
        raise SettingError(f"mode {mode!r} is not known", "give " + ", ".join(STEADY))
    return STEADY[mode]()
