"""The subject's own colours, spread under its soft edge."""

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.gap_filling import fill_gaps

# Up to the first alpha, a pixel's own colour does not count; from the second on it counts for the
# pixels around; from the third on it stays as it is.
MAX_UNTRUSTED_ALPHA, MIN_SOLID_ALPHA, MIN_TRUSTED_ALPHA = 0.4, 0.95, 0.98
# How far a soft pixel's colour may differ from the mean of the solid ones nearby, in their standard
# deviations, and the least room it has, of 255.
MAX_DEVIATIONS = 1.0
MIN_COLOUR_RANGE = 8.0


def spread_subject_colours(
    picture: NDArray[np.uint8], alpha: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return a cut-out's (H, W, 3) colours, those of soft and transparent pixels made plausible.

    Below `alpha` (H, W) many files are black, white or hold the old background, which shows as a
    rim on a new one. A soft pixel's colour is brought into the range of the solid colours nearby;
    the more transparent, the more it becomes their mean. Solid pixels stay as they are.
    """
    opacity = np.asarray(alpha / 255, np.float32)
    trust = _smooth_step(opacity, MAX_UNTRUSTED_ALPHA)
    # Where nothing is solid, as in smoke, what is least transparent counts.
    solid = np.maximum(_smooth_step(opacity, MIN_SOLID_ALPHA), 1e-4 * opacity**2)
    own = picture.astype(np.float32)
    near = fill_gaps(np.dstack([own, np.mean(own**2, axis=2)]), solid)
    mean = near[:, :, :3]
    variance = near[:, :, 3:] - np.mean(mean**2, axis=2, keepdims=True)
    room = np.maximum(MAX_DEVIATIONS * np.sqrt(np.maximum(variance, 0)), MIN_COLOUR_RANGE)
    plausible = np.clip(own, mean - room, mean + room)
    mixed = mean + trust[:, :, None] * (plausible - mean)
    mixed = np.where(trust[:, :, None] >= 1, own, mixed)
    return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)


def _smooth_step(opacity: FloatArray, start: float) -> FloatArray:
    """Return 0 up to `start`, 1 from MIN_TRUSTED_ALPHA, smooth between."""
    share = np.clip((opacity - start) / (MIN_TRUSTED_ALPHA - start), 0, 1)
    return np.asarray(share**2 * (3 - 2 * share), np.float32)
