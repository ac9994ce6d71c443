"""A segmentation network, fed with pictures that keep their proportions."""

import numpy as np

from matte.arrays import Confidence, Image
from matte.configs.settings import SegmentationSettings
from matte.imaging.letterbox import letterbox, unletterbox
from matte.runtime.session import Session, picture_input, run_map, told_size
from matte.segmentation.sharpened import FINER, sharpened

MULTIPLE = 32  # the encoders halve a picture five times
DEFAULT_SIZE = 320
KIND = "segmenter"


class LetterboxedSegmenter:
    """Runs a network that takes RGB 0 … 1 as (1, 3, H, W) and gives probabilities (1, 1, H, W)."""

    def __init__(self, session: Session, settings: SegmentationSettings, size: int = 0) -> None:
        """`size` is the long side that the network was trained at; 0: ask its file."""
        self._session = session
        self._input, self._fixed = picture_input(session, KIND)
        self._size = settings.size or size
        if not (self._fixed or self._size):
            self._size = told_size(session) or DEFAULT_SIZE

    def segment(self, image: Image) -> Confidence:
        """How surely each pixel belongs to the subject, at the picture's size."""
        if self._fixed:
            box = letterbox(image, *self._fixed)
        else:
            box = letterbox(image, self._size, self._size, MULTIPLE)
        blob = np.ascontiguousarray(box.pixels.transpose(2, 0, 1))[None]
        values = run_map(self._session, self._input, blob, KIND)
        if max(image.shape[:2]) > FINER * max(box.height, box.width):
            return sharpened(values[: box.height, : box.width], box, image)
        return Confidence(unletterbox(values, box, *image.shape[:2]))
