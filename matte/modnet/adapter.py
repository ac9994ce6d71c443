"""A MODNet that finds alpha without a trimap, fed as its authors do.

Z. Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition", 2022.
"""

import math

import numpy as np

from matte.arrays import Alpha, Image
from matte.imaging.resizing import resize
from matte.runtime.memory import MIN_NETWORK_PIXELS, MODNET_COST, WHOLE_MACHINE, MemoryLimit
from matte.runtime.session import Session, picture_input, predict_maps, trained_size
from matte.stages import NetworkFacts

DEFAULT_SIDE = 512  # pixels: the short side that the authors' network was trained at
MULTIPLE = 32
# The pixels of the network's input, in squares of its short side: of longer pictures than 4 : 1 it
# sees a smaller copy. Without a bound one of 319 × 1 would become one of 163,328 × 512.
MAX_SQUARES = 4
NETWORK_KIND = "MODNet"


class Modnet:
    """Finds alpha of people by a network that takes RGB −1 … 1 as (1, 3, H, W)."""

    def __init__(
        self,
        session: Session,
        protocol: str = "official",
        size: int = 0,
        memory: MemoryLimit = WHOLE_MACHINE,
        network: NetworkFacts | None = None,
    ) -> None:
        """`size` is the short side that the network was trained at; 0: as its file says, else 512.

        `protocol` "official" resizes pictures to that side, or a smaller one where `memory` is too
        small for it; "native" keeps their size, padded, or refuses them.
        """
        self.network = network
        self._memory = memory
        self._session = session
        self._native = protocol == "native"
        self._size = size or trained_size(session) or DEFAULT_SIDE
        self._input, self._fixed = picture_input(session, NETWORK_KIND)

    def matte(self, image: Image) -> Alpha:
        """Return alpha at the picture's size."""
        height, width = image.shape[:2]
        room = self._memory.network_memory(image, MODNET_COST)
        if self._native and not self._fixed:
            # Filled up by repeating the border; sizes that are multiples stay as they are.
            fill = [(0, -length % MULTIPLE) for length in (height, width)]
            room.max_batch((height + fill[0][1]) * (width + fill[1][1]))
            small = np.pad(image, [*fill, (0, 0)], mode="edge")
        else:
            size = network_size(height, width, self._size, room.max_pixels)
            small = resize(image, *(self._fixed or size))
        half = np.float32(np.iinfo(image.dtype).max / 2)
        blob = np.ascontiguousarray((small / half - 1).transpose(2, 0, 1)[None], np.float32)
        values = predict_maps(self._session, self._input, blob, NETWORK_KIND)[0]
        if self._native and not self._fixed:
            return Alpha(np.ascontiguousarray(values[:height, :width]))
        alpha = resize(values, height, width)
        return Alpha(np.clip(alpha, 0, 1, out=alpha))


def network_size(
    height: int, width: int, side: int = DEFAULT_SIDE, max_pixels: float = math.inf
) -> tuple[int, int]:
    """Return height and width for the network: multiples of 32, the short side near `side`.

    Pictures that reach over `side` on one side only keep their size, as in the released code.
    There are no more than `max_pixels`, nor than MAX_SQUARES allows.
    """
    if max(height, width) < side or min(height, width) > side:
        scale = side / min(height, width)
        height, width = int(height * scale), int(width * scale)
    height, width = max(MULTIPLE, height), max(MULTIPLE, width)
    max_pixels = max(MIN_NETWORK_PIXELS, min(MAX_SQUARES * side**2, max_pixels))
    if height * width > max_pixels:
        scale = math.sqrt(max_pixels / (height * width))
        longest = max_pixels / max(MULTIPLE, scale * min(height, width))
        height, width = (int(min(scale * length, longest)) for length in (height, width))
    return max(MULTIPLE, height // MULTIPLE * MULTIPLE), max(MULTIPLE, width // MULTIPLE * MULTIPLE)
