"""Small 8-bit RGB pictures of images, masks, trimaps and alphas, for sheets that people look at."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.imaging.resizing import resize, scaled_size

RgbPixels = NDArray[np.uint8]  # (H, W, 3)


def thumbnail(picture: RgbPixels, long_side: int) -> RgbPixels:
    """Return the picture, shrunk so that its longer side is `long_side`; small ones stay."""
    scale = min(1.0, long_side / max(picture.shape[:2]))
    return resize(np.ascontiguousarray(picture), *scaled_size(picture.shape, scale))


def to_8_bits(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a picture of 8 or 16 bits with the upper 8 bits of its values."""
    if picture.dtype == np.uint16:
        return (picture >> 8).astype(np.uint8)
    return np.asarray(picture, np.uint8)


def grey_to_rgb(values: NDArray[Any]) -> RgbPixels:
    """Return a mask, a trimap (uint8) or an alpha (float 0 … 1), (H, W), as a grey RGB picture."""
    full = values if values.dtype == np.uint8 else np.rint(values * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_GRAY2RGB), np.uint8)
