"""Frames with a round subject."""

import numpy as np

from matte.arrays import UNKNOWN, Image, Trimap
from tests.textures import clouds


def ring_frame(height: int, width: int, band_share: float = 1 / 12) -> tuple[Image, Trimap]:
    """Return clouds, and a trimap whose unknown band is a ring.

    The band reaches to both sides of the ring by that share of the height.
    """
    ys, xs = np.mgrid[:height, :width]
    inside = height / 3 - np.hypot(ys - height / 2, xs - width / 2)
    known = np.where(inside > 0, 255, 0)
    trimap = np.where(np.abs(inside) < height * band_share, UNKNOWN, known)
    return Image(clouds(height, width, 8)), Trimap(trimap.astype(np.uint8))


def subject_frame(height: int, width: int, x: float = 0.5, seed: int = 8) -> Image:
    """Return a bright disc with a soft edge over dark clouds; `x` is its place, 0 … 1."""
    ys, xs = np.mgrid[:height, :width]
    alpha = np.clip(0.5 + (height / 3 - np.hypot(ys - height / 2, xs - x * width)) / 5, 0, 1)
    bright, dark = clouds(height, width, seed) // 4 + 190, clouds(height, width, 3) // 4
    mixed = dark + alpha[:, :, None] * (bright.astype(np.float32) - dark)
    return Image(np.rint(mixed).astype(np.uint8))
