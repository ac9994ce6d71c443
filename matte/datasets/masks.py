"""Masks from files, whose edges may be smooth."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Trimap
from matte.datasets.samples import UnusableError

# How far a value between may lie from the next 0 or 255: so many pixels, or that part of the long
# side. Of 481 photos' masks, turned, shrunk, doubled or saved as JPEG, 99.9 % keep to that. Of 43
# mattes (alphamatting.com, AISegment; 800 pixels long) and 67 grey photos none does.
MAX_EDGE_PIXELS, MAX_EDGE_SHARE = 4, 1 / 200


def mask_from_grey(grey: NDArray[np.uint8], name: str) -> Trimap:
    """Return a grey mask (H, W) as 0, 128 (doesn't count) and 255; the file may also have 0 and 1.

    Values between them on a smooth edge don't count either: no border was drawn through these
    pixels. Raises UnusableError, with the file's `name`, where they are more than an edge.
    """
    if grey.max() <= 1:
        return Trimap(grey * np.uint8(SUBJECT))
    sure = (grey == BACKGROUND) | (grey == SUBJECT)
    between = ~sure & (grey != UNKNOWN)
    if not between.any():
        return Trimap(grey)
    away = np.full(grey.shape, np.inf, np.float32)
    if sure.any():
        away[:] = cv2.distanceTransform((~sure).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    far = between & (away > max(MAX_EDGE_PIXELS, MAX_EDGE_SHARE * max(grey.shape)))
    if far.any():
        values = np.unique(grey[far])
        some = ", ".join(str(v) for v in values[:4]) + (" …" if values.size > 4 else "")
        raise UnusableError(
            f"{name} has the values {some}",
            "a mask is of 0, 128 (doesn't count) and 255, or of 0 and 1, but for a thin edge",
        )
    return Trimap(np.where(between, UNKNOWN, grey).astype(np.uint8))
