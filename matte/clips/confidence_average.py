"""The segmenter's confidence, averaged over the frames of a clip."""

import numpy as np

from matte.arrays import Confidence, FloatArray
from matte.clips.motion import Motion
from matte.imaging.resizing import resize


class ConfidenceAverage:
    """An exponential moving average of the confidence that follows motion.

    With it the edges of a mask don't flip from frame to frame.
    """

    def __init__(self, blends: bool = True) -> None:
        """Unless it `blends`, it only remembers: each frame's confidence counts alone."""
        self._blends = blends
        self._previous: FloatArray | None = None

    def blend(self, confidence: Confidence, motion: Motion) -> Confidence:
        """Return a frame's confidence (H, W), blended with the average of the frames before.

        Confidence is as coarse as the segmenter's network, so what changes is found at the
        motion's size.
        """
        small, previous = resize(confidence, *motion.shape), self.warp(motion)
        self._previous = small
        if previous is None or not self._blends:
            return confidence
        change = motion.history_weight * motion.agreement * (previous - small)
        self._previous = small + change
        return Confidence(np.clip(confidence + resize(change, *confidence.shape), 0, 1))

    def warp(self, motion: Motion) -> FloatArray | None:
        """Return the average (h, w), warped to the next frame; None where that starts a scene."""
        if self._previous is None or motion.starts_scene:
            return None
        return motion.warp(self._previous)

    def set_average(self, average: FloatArray) -> None:
        """Use a warped average (h, w) as that of the frame, which is not segmented."""
        self._previous = average
