"""How each frame of a clip moved since the one before it."""

from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray, Image
from matte.imaging.flow import (
    ROUGH_HALVINGS,
    Flow,
    backward_flow,
    colour_agreement,
    flow_consistency,
    flow_copy,
    local_mean_colours,
    warp,
)
from matte.imaging.scene_cuts import is_cut

# Blend weight of the past where frames agree: of what moves, and of what stands still, which is
# what moves by less than MAX_STILL_PIXELS of the small copy.
HISTORY_WEIGHT_MOVING, HISTORY_WEIGHT_STILL = 0.7, 0.8
MAX_STILL_PIXELS = 0.5
MAX_AGE_FRAMES = 20.0  # what has been visible for longer is no surer


class FrameColours:
    """The local mean colours of one frame, calculated once, by whichever step needs them first."""

    def __init__(self, image: Image) -> None:
        self._image: Image | None = image
        self._means: NDArray[np.uint8] | None = None
        self._lock = Lock()

    def local_means(self) -> NDArray[np.uint8]:
        """Return the frame's local mean colours (H, W, 3); any thread may call it."""
        with self._lock:
            if self._means is None:
                assert self._image is not None
                self._means = local_mean_colours(self._image)
                self._image = None  # frames are large
            return self._means


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How a frame moved since the previous one, and the colours by which the two are compared.

    All arrays have the size (h, w) of the frame's flow copy. `flow` leads back to the previous
    frame. `agreement`, 0 … 1, says how surely both show the same thing there. `history_weight`,
    0 … 1, is the blend weight of what was found in the frames before. All three are 0 where the
    frame `starts_scene`: the first one does, and the first after a cut. `colours` are the frame's,
    `copy` (h, w, 3) is its flow copy.
    """

    flow: Flow
    agreement: FloatArray
    history_weight: FloatArray
    colours: FrameColours
    copy: NDArray[np.uint8]
    starts_scene: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the arrays."""
        return self.agreement.shape[0], self.agreement.shape[1]

    def warp(self, values: FloatArray) -> FloatArray:
        """Return values (H, W) of the previous frame, moved to where they are in this one."""
        return warp(values, self.flow)


class MotionTracker:
    """Follows the motion of a clip from frame to frame."""

    def __init__(self) -> None:
        self._previous: NDArray[np.uint8] | None = None
        self._age = np.zeros((0, 0), np.float32)  # frames for which each pixel has been visible

    def track(self, image: Image) -> Motion:
        """Return how this frame moved since the one that was tracked before."""
        current, previous = flow_copy(image), self._previous
        self._previous = current
        if previous is not None and previous.shape == current.shape:
            flow = backward_flow(current, previous)
            warped = warp(previous, flow)
            if not is_cut(current, previous, warped):
                forward = backward_flow(previous, current, ROUGH_HALVINGS)
                consistency = flow_consistency(flow, forward)
                agreement = np.minimum(colour_agreement(current, warped), consistency)
                self._age = agreement * np.minimum(warp(self._age, flow) + 1, MAX_AGE_FRAMES)
                weight = _history_weight(flow, self._age)
                return Motion(flow, agreement, weight, FrameColours(image), current)
        nothing = self._age = np.zeros(current.shape[:2], np.float32)
        still = Flow(np.zeros((*current.shape[:2], 2), np.float32))
        return Motion(still, nothing, nothing, FrameColours(image), current, starts_scene=True)


def _history_weight(flow: Flow, age: FloatArray) -> FloatArray:
    """Return the blend weight of the past (h, w): no more than a plain mean over `age` frames has.

    It is lower where things move fast.
    """
    speed = cv2.magnitude(flow[:, :, 0], flow[:, :, 1])
    stillness = np.clip(2 - speed / MAX_STILL_PIXELS, 0, 1)
    limit = HISTORY_WEIGHT_MOVING + (HISTORY_WEIGHT_STILL - HISTORY_WEIGHT_MOVING) * stillness
    return np.asarray(np.minimum(limit, age / (age + 1)), np.float32)
