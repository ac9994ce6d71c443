"""When the segmenter must look at a frame, and when the mask can go along with what moves."""

import cv2
import numpy as np

from matte.arrays import Confidence, FloatArray, Image
from matte.clips.motion import Movement
from matte.clips.stabilising import SteadyConfidence
from matte.imaging.resizing import resize
from matte.stages import Segmenter

# Shares of the small copy that can't be followed: around the mask's edge, in all of it, and in a
# square of so many pixels beside the subject, where somebody may come in. Masks that go along
# below them overlap with the segmenter's by .98 … .99 after three frames.
LOST, STRANGE, SQUARE = 0.15, 0.8, 25
UNSURE = 0.05  # confidence that is so near 0 or 1 is beside the mask's edge
AROUND = np.ones((7, 7), np.uint8)


class Attention:
    """Asks a segmenter for at least every n-th frame, and for those that can't be followed."""

    def __init__(self, segmenter: Segmenter, every: int, steady: bool) -> None:
        """`steady`: what it says is steadied along the motion."""
        self._segmenter = segmenter
        self._every = every
        self._passed = 0  # frames since the segmenter was asked
        self._known = SteadyConfidence(steady)

    def confidence(self, image: Image, movement: Movement) -> Confidence:
        """How surely each pixel belongs to the subject, at the frame's size."""
        self._passed += 1
        known = self._known.warp(movement) if self._passed < self._every else None
        if known is not None and followed(known, movement):
            self._known.take(known)
        else:
            self._passed = 0
            found = self._segmenter.segment(image).confidence
            if self._every > 1:  # as coarse as what goes along, or edges would jump to and fro
                found = Confidence(resize(found, *movement.agrees.shape))
            known = self._known.next(found, movement)
        return Confidence(resize(known, *image.shape[:2]))


def followed(confidence: FloatArray, movement: Movement) -> bool:
    """Whether what is known of the subject, at the movement's size, is likely to hold."""
    unsure = (confidence > UNSURE) & (confidence < 1 - UNSURE)
    edge = cv2.dilate(unsure.view(np.uint8), AROUND).view(np.bool_)
    if not edge.any():
        return False  # there is nobody yet, or nothing else
    lost = 1 - movement.agrees
    beside = cv2.blur(np.where(confidence <= UNSURE, lost, 0), (SQUARE, SQUARE))
    return bool(lost[edge].mean() <= LOST and lost.mean() <= LOST and beside.max() <= STRANGE)
