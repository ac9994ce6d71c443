"""When a frame must be segmented, and when the confidence of the frame before can be warped."""

import cv2
import numpy as np

from matte.arrays import Confidence, FloatArray, Image
from matte.clips.confidence_average import ConfidenceAverage
from matte.clips.motion import Motion
from matte.imaging.resizing import resize
from matte.stages import Segmenter

# Shares of the small copy that flow can't follow: around the mask's edge or in all of it, and in a
# square of so many pixels a side beside the subject, where somebody may come in. Masks warped
# below these shares overlap with the segmenter's by .98 … .99 after three frames.
MAX_LOST_SHARE = 0.15
MAX_LOST_SHARE_BESIDE, BESIDE_SIDE_PIXELS = 0.8, 25
MIN_EDGE_CONFIDENCE = 0.05  # confidence nearer than this to 0 or 1 is not the mask's edge
EDGE_KERNEL = np.ones((7, 7), np.uint8)


class SparseSegmenter:
    """Segments at least every n-th frame of a clip, and each that flow can't follow."""

    def __init__(self, segmenter: Segmenter, segment_every: int, averages: bool) -> None:
        """`averages`: whether confidence is averaged over frames along the motion."""
        self._segmenter = segmenter
        self._segment_every = segment_every
        self._unsegmented = 0  # frames since one was segmented
        self._average = ConfidenceAverage(averages)

    def confidence(self, image: Image, motion: Motion) -> Confidence:
        """Return how surely each pixel of a frame belongs to the subject, at the frame's size."""
        self._unsegmented += 1
        reusable = self._unsegmented < self._segment_every
        confidence = self._average.warp(motion) if reusable else None
        if confidence is not None and can_follow(confidence, motion):
            self._average.set_average(confidence)
        else:
            self._unsegmented = 0
            # As coarse as warped ones where there are any, or edges would jump to and fro.
            size = motion.shape if self._segment_every > 1 else None
            found = self._segmenter.segment(image, size).confidence
            confidence = self._average.blend(found, motion)
        return Confidence(resize(confidence, *image.shape[:2]))


def can_follow(confidence: FloatArray, motion: Motion) -> bool:
    """Return whether a confidence (h, w) warped along the motion is likely to hold in the frame."""
    unsure = (confidence > MIN_EDGE_CONFIDENCE) & (confidence < 1 - MIN_EDGE_CONFIDENCE)
    edge = cv2.dilate(unsure.view(np.uint8), EDGE_KERNEL).view(np.bool_)
    if not edge.any():
        return False  # there is no subject yet, or nothing else
    lost = 1 - motion.agreement
    window = (BESIDE_SIDE_PIXELS, BESIDE_SIDE_PIXELS)
    lost_beside = cv2.blur(np.where(confidence <= MIN_EDGE_CONFIDENCE, lost, 0), window)
    return bool(
        lost[edge].mean() <= MAX_LOST_SHARE
        and lost.mean() <= MAX_LOST_SHARE
        and lost_beside.max() <= MAX_LOST_SHARE_BESIDE
    )
