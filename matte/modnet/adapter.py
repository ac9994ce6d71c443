"""A MODNet in ONNX, fed as its authors do.

Z. Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition", 2022.
"""

import numpy as np

from matte.arrays import Alpha, Image
from matte.imaging.resizing import resize
from matte.runtime.session import Session, picture_input, run_map, told_size

REFERENCE = 512  # the short side that the authors' network knows
MULTIPLE = 32
KIND = "MODNet"


class Modnet:
    """Alpha of people from a network that takes RGB −1 … 1 as (1, 3, H, W)."""

    def __init__(self, session: Session, protocol: str = "official", size: int = 0) -> None:
        """`protocol`: "official" brings the short side to the one that the network was trained at,
        `size` (0: ask its file; 512 for the authors'), "native" keeps the picture's, padded.
        """
        self._session = session
        self._native = protocol == "native"
        self._size = size or told_size(session) or REFERENCE
        self._input, self._fixed = picture_input(session, KIND)

    def matte(self, image: Image) -> Alpha:
        """Alpha at the picture's size."""
        height, width = image.shape[:2]
        if self._native and not self._fixed:
            # Filled up by repeating the border; sizes that are multiples stay as they are.
            fill = [(0, -length % MULTIPLE) for length in (height, width)]
            small = np.pad(image, [*fill, (0, 0)], mode="edge")
        else:
            small = resize(image, *(self._fixed or reference_size(height, width, self._size)))
        half = np.float32(np.iinfo(image.dtype).max / 2)
        blob = np.ascontiguousarray((small / half - 1).transpose(2, 0, 1)[None], np.float32)
        values = run_map(self._session, self._input, blob, KIND)
        if self._native and not self._fixed:
            return Alpha(np.ascontiguousarray(values[:height, :width]))
        alpha = resize(values, height, width)
        return Alpha(np.clip(alpha, 0, 1, out=alpha))


def reference_size(height: int, width: int, side: int = REFERENCE) -> tuple[int, int]:
    """Height and width for the network: the short side near `side`, both multiples of 32.

    Pictures that reach over `side` on one side only keep their size, as in the released code.
    """
    if max(height, width) < side or min(height, width) > side:
        scale = side / min(height, width)
        height, width = int(height * scale), int(width * scale)
    return max(MULTIPLE, height // MULTIPLE * MULTIPLE), max(MULTIPLE, width // MULTIPLE * MULTIPLE)
