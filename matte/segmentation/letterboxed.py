"""A segmentation network as a segmenter: it sees pictures in their own proportions."""

import numpy as np

from matte.arrays import Confidence, Image
from matte.configs.settings import SegmentationSettings
from matte.imaging.letterbox import largest_fitting_size, letterbox, unletterbox
from matte.runtime.memory import SEGMENTER_COST, WHOLE_MACHINE, MemoryLimit, NetworkCost
from matte.runtime.session import Session, picture_input, predict_maps, trained_size
from matte.segmentation.sharpening import SUPERSAMPLING, sharpen_edges
from matte.stages import NetworkFacts, Segmentation

MULTIPLE = 32  # the encoders halve a picture five times
DEFAULT_SIZE = 320
NETWORK_KIND = "segmenter"


class LetterboxedSegmenter:
    """Runs a network that takes RGB 0 … 1 as (1, 3, H, W) and gives probabilities (1, 1, H, W).

    A network with a band gives a second map: how likely each place's edge is to be soft.
    """

    def __init__(
        self,
        session: Session,
        settings: SegmentationSettings,
        size: int = 0,
        network: NetworkFacts | None = None,
        memory: MemoryLimit = WHOLE_MACHINE,
        cost: NetworkCost = SEGMENTER_COST,
    ) -> None:
        """`size` is the long side that the network was trained at; 0: as its file says.

        Where the `cost` of its input is more than the `memory`, it sees pictures smaller.
        """
        self._memory, self._cost = memory, cost
        self.network = network
        self.session = session
        self.input_name, self.fixed_size = picture_input(session, NETWORK_KIND)
        self.long_side = settings.size or size
        if not (self.fixed_size or self.long_side):
            self.long_side = trained_size(session) or DEFAULT_SIZE

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject, at the picture's size.

        With another `size`, height and width, the network's map is resized to it at once, which is
        nearer to what the network found than by way of the picture's size.
        """
        if self.fixed_size:
            box = letterbox(image, *self.fixed_size)
        else:
            side = self._side_within_memory(image)
            box = letterbox(image, side, side, MULTIPLE)
        blob = np.ascontiguousarray(box.pixels.transpose(2, 0, 1))[None]
        values, *band = predict_maps(self.session, self.input_name, blob, NETWORK_KIND)
        height, width = size or image.shape[:2]
        unknown = band[0][: box.height, : box.width] if band else None
        if max(image.shape[:2]) > SUPERSAMPLING * max(box.height, box.width):
            values = values[: box.height, : box.width]
            confidence = sharpen_edges(values, box, image, (height, width))
        else:
            confidence = Confidence(unletterbox(values, box, height, width))
        return Segmentation(confidence, unknown)

    def _side_within_memory(self, image: Image) -> int:
        """Return the long side at which the network sees a picture."""
        most = self._memory.network_memory(image, self._cost).max_pixels
        side = self.long_side
        while side > MULTIPLE and _padded_pixels(image, side) > most:
            side = max(MULTIPLE, side - MULTIPLE)
        return side


def _padded_pixels(image: Image, side: int) -> int:
    """Return the pixels of a picture that is brought to a long side, and padded."""
    height, width = largest_fitting_size(image.shape[0], image.shape[1], side, side)
    return -(-height // MULTIPLE) * -(-width // MULTIPLE) * MULTIPLE**2
