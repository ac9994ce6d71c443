"""The subject's own colours, spread under its soft edge."""

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.gap_filling import fill_gaps

# Alphas: up to which a colour is not believed; from which it begins to count for the pixels around;
# from which it is believed altogether.
DOUBTED, SOLID, TRUSTED = 0.4, 0.95, 0.98
SPREAD = 1.0  # standard deviations that a soft pixel's colour may differ from the solid ones nearby
LEAST = 8.0  # … and at least so much, out of 255


def bled(picture: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A cut-out's (H, W, 3) colours, with those of soft and transparent pixels made plausible.

    Below `alpha` (H, W) many files are black, white or hold the old background, which shows as a
    rim on a new one. A soft pixel's colour is brought into the range of the solid colours nearby;
    the more transparent, the more it becomes their mean. Solid pixels stay as they are.
    """
    opacity = np.asarray(alpha / 255, np.float32)
    trust = _ramp(opacity, DOUBTED)
    # Where nothing is solid, as in smoke, what is least transparent counts.
    solid = np.maximum(_ramp(opacity, SOLID), 1e-4 * opacity**2)
    own = picture.astype(np.float32)
    near = fill_gaps(np.dstack([own, np.mean(own**2, axis=2)]), solid)
    mean = near[:, :, :3]
    variance = near[:, :, 3:] - np.mean(mean**2, axis=2, keepdims=True)
    room = np.maximum(SPREAD * np.sqrt(np.maximum(variance, 0)), LEAST)
    plausible = np.clip(own, mean - room, mean + room)
    mixed = mean + trust[:, :, None] * (plausible - mean)
    mixed = np.where(trust[:, :, None] >= 1, own, mixed)
    return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)


def _ramp(opacity: FloatArray, start: float) -> FloatArray:
    """0 up to `start`, 1 from TRUSTED, smooth between."""
    share = np.clip((opacity - start) / (TRUSTED - start), 0, 1)
    return np.asarray(share**2 * (3 - 2 * share), np.float32)
