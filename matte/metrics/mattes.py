"""How far an alpha is from the true one, within a region.

C. Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009, with
the conventions of the MATLAB code that most published numbers come from.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray

MATTE_METRICS = ("sad", "mse", "mad", "grad", "conn")  # lower is better
SIGMA = 1.4  # pixels, of the gradient's Gaussian
CUT = 1e-2  # where its tails are cut off
LEVELS = 10  # of the connectivity's thresholds: steps of 0.1
THETA = np.float32(0.15)  # a pixel this little above its level counts as connected
UNIT = 1000  # SAD, Grad and Conn are told in thousands

Region = NDArray[np.bool_]


def matte_scores(alpha: Alpha, truth: Alpha, region: Region) -> dict[str, float]:
    """All `MATTE_METRICS` of one picture."""
    return {
        "sad": sad(alpha, truth, region),
        "mse": mse(alpha, truth, region),
        "mad": mad(alpha, truth, region),
        "grad": grad(alpha, truth, region),
        "conn": conn(alpha, truth, region),
    }


def sad(alpha: Alpha, truth: Alpha, region: Region) -> float:
    """The sum of absolute differences in the region, in thousands."""
    return float(np.abs(_difference(alpha, truth, region)).sum()) / UNIT


def mse(alpha: Alpha, truth: Alpha, region: Region) -> float:
    """The mean squared difference over the region's pixels; 0 where it has none."""
    difference = _difference(alpha, truth, region)
    return float(np.square(difference).mean()) if difference.size else 0.0


def mad(alpha: Alpha, truth: Alpha, region: Region) -> float:
    """The mean absolute difference over the region's pixels; 0 where it has none."""
    difference = _difference(alpha, truth, region)
    return float(np.abs(difference).mean()) if difference.size else 0.0


def grad(alpha: Alpha, truth: Alpha, region: Region) -> float:
    """The sum of squared differences of the gradients' lengths in the region, in thousands.

    Each alpha is first stretched to 0 … 1 over the whole picture, so that an alpha with too little
    contrast hardly shows: look at SAD beside it.
    """
    difference = _steepness(alpha) - _steepness(truth)
    return float(np.square(difference[region]).sum()) / UNIT


def conn(alpha: Alpha, truth: Alpha, region: Region) -> float:
    """The difference of the connectedness φ, summed over the region, in thousands.

    φ = 1 − d for d ≥ 0.15, else 1, where d is how far the pixel is above its level: the last of
    the thresholds 0, 0.1, … 1 up to which it is in the largest 4-connected part of what both alphas
    have at or above the threshold.
    """
    level = _connected_up_to(np.minimum(alpha, truth))
    difference = _disconnectedness(alpha, level) - _disconnectedness(truth, level)
    return float(np.abs(difference[region]).sum(dtype=np.float64)) / UNIT


def _difference(alpha: Alpha, truth: Alpha, region: Region) -> NDArray[np.float64]:
    return np.subtract(alpha[region], truth[region], dtype=np.float64)


def _steepness(alpha: Alpha) -> NDArray[np.float64]:
    """The length of the stretched alpha's gradient, by derivatives of a Gaussian of norm 1."""
    low, high = float(alpha.min()), float(alpha.max())
    stretched = (alpha.astype(np.float64) - low) / max(high - low, 1e-12)
    reach = math.ceil(SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * SIGMA * CUT)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * SIGMA**2))
    slope = x * bell
    # The norm of the outer product is the product of the norms.
    bell, slope = bell / np.linalg.norm(bell), slope / np.linalg.norm(slope)
    across = cv2.sepFilter2D(stretched, -1, slope, bell, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(stretched, -1, bell, slope, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


def _connected_up_to(both: NDArray[np.float32]) -> FloatArray:
    """For each pixel the last threshold at which it is in the largest part of `both` ≥ threshold.

    A pixel that fell out once stays out.
    """
    level = np.ones(both.shape, np.float32)
    inside = np.ones(both.shape, bool)
    for step in range(1, LEVELS + 1):
        largest = _largest_part(both >= np.float32(step / LEVELS))
        level[inside & ~largest] = np.float32((step - 1) / LEVELS)
        inside &= largest
    return level


def _largest_part(region: Region) -> Region:
    """The largest 4-connected part of the region; all False where the region is empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=4
    )
    if count == 1:
        return np.zeros(region.shape, bool)
    # Label 0 is what is not in the region, which is often larger than all parts of it.
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _disconnectedness(alpha: Alpha, level: FloatArray) -> FloatArray:
    """1 − φ."""
    above = alpha - level
    return np.where(above >= THETA, above, np.float32(0)).astype(np.float32)
