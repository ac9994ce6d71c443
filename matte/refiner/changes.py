"""A photo's alpha refined again where its trimap was changed by hand, and kept elsewhere."""

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, Alpha, Trimap
from matte.imaging.regions import bounding_box
from matte.refiner.tiles import SIDE, WIDE_CONTEXT
from matte.stages import ReusableAlpha

Window = tuple[slice, slice]
# Pixels of the copy around a change within which alpha is replaced, and those in which that ends:
# a network sees a tile at once, so that a change reaches to the tile's end.
REACH, BLEND = 64, 16
MAX_CHANGED_SHARE = 0.5  # of the picture in the window, from which on all is refined again


def changed_window(reusable: ReusableAlpha) -> Window | None:
    """Return the rows and columns that are refined again; None if nothing is stale."""
    scale = reusable.copy_scale
    margin = round((REACH + BLEND + WIDE_CONTEXT) / scale)
    box = bounding_box(reusable.stale, margin=margin)
    if box is None:
        return None
    side, step = round(SIDE / scale), round(1 / scale)
    rows, columns = (
        _at_least(part, side, step, length)
        for part, length in zip(box, reusable.stale.shape, strict=True)
    )
    return rows, columns


def _at_least(part: slice, side: int, step: int, length: int) -> slice:
    """Return a slice of at least `side` pixels, if there are as many, from a multiple of `step`."""
    stop = min(length, max(part.stop, part.start + side))
    start = max(0, min(part.start, stop - side))
    return slice(start - start % step, stop)


def blend_changes(reusable: ReusableAlpha, window: Window, found: Alpha, trimap: Trimap) -> Alpha:
    """Return the alpha with what was found in the window, near what is stale.

    `trimap` is the window's.
    """
    scale = reusable.copy_scale
    reach, blend = round(REACH / scale), max(1, round(BLEND / scale))
    away = (~reusable.stale[window]).view(np.uint8)
    distance = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.clip((reach + blend - distance) / np.float32(blend), 0, 1)
    alpha = reusable.alpha.copy()
    before = alpha[window]
    part = before + share * (found - before)
    part[trimap == BACKGROUND] = 0
    part[trimap == SUBJECT] = 1
    alpha[window] = part
    return Alpha(alpha)
