"""Arrays brought to another size by Lanczos' filter, as Pillow does it."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

PixelT = TypeVar("PixelT", np.uint8, np.uint16, np.float32)


def resize_lanczos(values: NDArray[PixelT], height: int, width: int) -> NDArray[PixelT]:
    """Return an array, (H, W) or (H, W, C), resized by Lanczos' filter of three lobes.

    The filter is widened where the array shrinks, as Pillow does it. Integers are rounded and keep
    their range; floats may leave that of their neighbours.
    """
    if values.shape[:2] == (height, width):
        return values
    if values.dtype == np.uint8:
        picture = Pillow.fromarray(np.ascontiguousarray(values))
        return np.asarray(picture.resize((width, height), Pillow.Resampling.LANCZOS), values.dtype)
    planes = [
        Pillow.fromarray(np.ascontiguousarray(plane, np.float32)).resize(
            (width, height), Pillow.Resampling.LANCZOS
        )
        for plane in (cv2.split(values) if values.ndim == 3 else (values,))
    ]
    found = np.dstack([np.asarray(plane) for plane in planes])
    if np.issubdtype(values.dtype, np.integer):
        limits = np.iinfo(values.dtype)  # type: ignore[type-var]  # integers, as was just asked
        found = np.clip(np.rint(found), limits.min, limits.max)
    return np.asarray(found if values.ndim == 3 else found[:, :, 0], values.dtype)
