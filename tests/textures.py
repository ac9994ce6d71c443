"""Pictures that have something to follow everywhere."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def clouds(height: int, width: int, seed: int = 0) -> Pixels:
    """Return a smooth, colourful picture (height, width, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 6, width // 6, 3))
    return np.asarray(
        cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    )
