"""How each frame of a clip came from the one before."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, FloatArray, Image
from matte.imaging.flow import (
    ROUGH_HALVINGS,
    Flow,
    backward_flow,
    colour_agreement,
    flow_consistency,
    flow_copy,
    mean_flow,
    warp,
)
from matte.imaging.resizing import resize
from matte.imaging.scene_cuts import is_cut

# How much of what was counts where the frames agree: of what moves, and of what is still, which is
# what moves by less than STILL pixels of the small copy.
KEPT, KEPT_STILL = 0.7, 0.8
STILL = 0.5
OLD = 20.0  # frames: what was to be seen for longer is no surer


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """How a frame came from the one before.

    At a small size (h, w), `flow` leads back, `agrees` tells how surely what it leads to is the
    same, 0 … 1, and `kept` how much of what was counts then, against what is. Nothing does where a
    scene `begins`: with the first frame and after a cut.
    """

    flow: Flow
    agrees: FloatArray
    kept: FloatArray
    begins: bool = False

    def warp(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What was known of the frame before, (H, W), where it is now."""
        return warp(values, self.flow)

    def speed(self, subject: Confidence | Alpha | None = None) -> float:
        """How far things moved, or the subject did, in shares of the long side: the mean."""
        if subject is None:
            return mean_flow(self.flow)
        return mean_flow(self.flow, resize(subject, *self.agrees.shape))


class Watcher:
    """Tells how each frame came from the one before."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None
        self._age = np.zeros((0, 0), np.float32)

    def next(self, image: Image) -> Movement:
        """The movement up to this frame."""
        now, before = flow_copy(image), self._before
        self._before = now
        if before is not None and before.shape == now.shape:
            flow = backward_flow(now, before)
            brought = warp(before, flow)
            if not is_cut(now, before, brought):
                met = flow_consistency(flow, backward_flow(before, now, ROUGH_HALVINGS))
                agrees = np.minimum(colour_agreement(now, brought), met)
                # For how many frames what is here was to be seen.
                self._age = agrees * np.minimum(warp(self._age, flow) + 1, OLD)
                return Movement(flow, agrees, _kept(flow, self._age))
        self._age = np.zeros(now.shape[:2], np.float32)
        still = Flow(np.zeros((*now.shape[:2], 2), np.float32))
        return Movement(still, self._age, self._age, begins=True)


def _kept(flow: Flow, age: FloatArray) -> FloatArray:
    """How much of what was counts: at first no more than in a plain mean, and the less of what is
    fast.
    """
    speed = cv2.magnitude(flow[:, :, 0], flow[:, :, 1])
    still = np.clip(2 - speed / STILL, 0, 1)
    most = KEPT + (KEPT_STILL - KEPT) * still
    return np.asarray(np.minimum(most, age / (age + 1)), np.float32)
