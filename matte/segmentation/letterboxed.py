"""A segmentation network, fed with pictures that keep their proportions."""

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, Image, Mask
from matte.configs.settings import SegmentationSettings
from matte.errors import WeightsError
from matte.imaging.letterbox import letterbox, unletterbox
from matte.runtime.session import Session

MULTIPLE = 32  # the encoders halve a picture five times
DEFAULT_SIZE = 320


class LetterboxedSegmenter:
    """Runs a network that takes RGB 0 … 1 as (1, 3, H, W) and gives probabilities (1, 1, H, W)."""

    def __init__(self, session: Session, settings: SegmentationSettings, size: int = 0) -> None:
        """`size` is the long side that the network was trained at; 0: ask its file."""
        self._session = session
        self._threshold = settings.threshold
        (self._input, shape), *others = session.inputs.items()
        if others or len(shape) != 4 or shape[1] not in (3, None):
            raise WeightsError(
                f"the network takes {session.inputs}", "give a segmenter with one RGB input"
            )
        self._height, self._width = shape[2], shape[3]
        if self._height is None or self._width is None:
            size = settings.size or size or int(session.metadata().get("matte.size", DEFAULT_SIZE))
        self._size = size

    def segment(self, image: Image) -> Mask:
        """The subject's mask, at the picture's size; all 0 where there is no subject."""
        if self._height is not None and self._width is not None:
            box = letterbox(image, self._height, self._width)
        else:
            box = letterbox(image, self._size, self._size, MULTIPLE)
        blob = np.ascontiguousarray(box.pixels.transpose(2, 0, 1))[None]
        (values,) = self._session.run({self._input: blob}).values()
        if values.ndim != 4 or values.shape[:2] != (1, 1):
            raise WeightsError(
                f"the network gives an output of shape {values.shape}",
                "give a segmenter with one map of probabilities",
            )
        probability = unletterbox(values[0, 0], box, *image.shape[:2])
        subject = probability >= self._threshold
        return Mask(np.where(subject, np.uint8(SUBJECT), np.uint8(BACKGROUND)))
