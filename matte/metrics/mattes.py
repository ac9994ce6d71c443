"""Metrics of an alpha against the true one, within a region; lower is better.

C. Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting", CVPR 2009, with
the conventions of the MATLAB code that most published numbers come from.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, FloatArray

GRADIENT_SIGMA_PIXELS = 1.4
MIN_GAUSSIAN_VALUE = 1e-2  # where the gradient's Gaussian is cut off
CONNECTIVITY_LEVELS = 10  # thresholds in steps of 0.1
MIN_DISCONNECTED = np.float32(0.15)  # above its level; a pixel nearer to it counts as connected
SUM_UNIT = 1000  # SAD, Grad and Conn are given in thousands


def matte_scores(alpha: Alpha, truth: Alpha, region: BoolArray) -> dict[str, float]:
    """Return SAD, MSE, MAD, Grad and Conn of one picture."""
    return {
        "sad": sad(alpha, truth, region),
        "mse": mse(alpha, truth, region),
        "mad": mad(alpha, truth, region),
        "grad": grad(alpha, truth, region),
        "conn": conn(alpha, truth, region),
    }


def sad(alpha: Alpha, truth: Alpha, region: BoolArray) -> float:
    """Return SAD: the sum of absolute differences in the region, in thousands."""
    return float(np.abs(_region_difference(alpha, truth, region)).sum()) / SUM_UNIT


def mse(alpha: Alpha, truth: Alpha, region: BoolArray) -> float:
    """Return MSE: the mean squared difference over the region's pixels; 0 if it has none."""
    difference = _region_difference(alpha, truth, region)
    return float(np.square(difference).mean()) if difference.size else 0.0


def mad(alpha: Alpha, truth: Alpha, region: BoolArray) -> float:
    """Return MAD: the mean absolute difference over the region's pixels; 0 if it has none."""
    difference = _region_difference(alpha, truth, region)
    return float(np.abs(difference).mean()) if difference.size else 0.0


def grad(alpha: Alpha, truth: Alpha, region: BoolArray) -> float:
    """Return Grad: the summed squared difference of the gradients' lengths, in thousands.

    Each alpha is first stretched to 0 … 1 over the whole picture, so that an alpha with too little
    contrast hardly shows: look at SAD beside it.
    """
    difference = _gradient_length(alpha) - _gradient_length(truth)
    return float(np.square(difference[region]).sum()) / SUM_UNIT


def conn(alpha: Alpha, truth: Alpha, region: BoolArray) -> float:
    """Return Conn: the difference of the connectedness φ, summed over the region, in thousands.

    φ = 1 − d for d ≥ 0.15, else 1, where d is how far the pixel is above its level: the last of
    the thresholds 0, 0.1, … 1 up to which it is in the largest 4-connected part of what both alphas
    have at or above the threshold.
    """
    level = _connected_level(np.minimum(alpha, truth))
    difference = _disconnectedness(alpha, level) - _disconnectedness(truth, level)
    return float(np.abs(difference[region]).sum(dtype=np.float64)) / SUM_UNIT


def _region_difference(alpha: Alpha, truth: Alpha, region: BoolArray) -> NDArray[np.float64]:
    """Return the differences of the region's pixels, in one row."""
    return np.subtract(alpha[region], truth[region], dtype=np.float64)


def _gradient_length(alpha: Alpha) -> NDArray[np.float64]:
    """Return the length (H, W) of the gradient of alpha, stretched to 0 … 1.

    By derivatives of a Gaussian, of norm 1.
    """
    low, high = float(alpha.min()), float(alpha.max())
    stretched = (alpha.astype(np.float64) - low) / max(high - low, 1e-12)
    peak = math.sqrt(2 * math.pi) * GRADIENT_SIGMA_PIXELS
    reach = math.ceil(GRADIENT_SIGMA_PIXELS * math.sqrt(-2 * math.log(peak * MIN_GAUSSIAN_VALUE)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * GRADIENT_SIGMA_PIXELS**2))
    slope = x * bell
    # The norm of the outer product is the product of the norms.
    bell, slope = bell / np.linalg.norm(bell), slope / np.linalg.norm(slope)
    across = cv2.sepFilter2D(stretched, -1, slope, bell, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(stretched, -1, bell, slope, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(across, down)


def _connected_level(both: FloatArray) -> FloatArray:
    """Return for each pixel the last threshold at which it is in the largest part of both alphas.

    `both` is their minimum. A pixel that is once outside stays outside.
    """
    level = np.ones(both.shape, np.float32)
    inside = np.ones(both.shape, bool)
    for step in range(1, CONNECTIVITY_LEVELS + 1):
        largest = _largest_part(both >= np.float32(step / CONNECTIVITY_LEVELS))
        level[inside & ~largest] = np.float32((step - 1) / CONNECTIVITY_LEVELS)
        inside &= largest
    return level


def _largest_part(region: BoolArray) -> BoolArray:
    """Return the largest 4-connected part of the region; all False if the region is empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        region.astype(np.uint8), connectivity=4
    )
    if count == 1:
        return np.zeros(region.shape, bool)
    # Label 0 is what is not in the region, which is often larger than all parts of it.
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())


def _disconnectedness(alpha: Alpha, level: FloatArray) -> FloatArray:
    """Return 1 − φ: how far alpha is above its connected level, if that is far enough to count."""
    above = alpha - level
    return np.where(above >= MIN_DISCONNECTED, above, np.float32(0)).astype(np.float32)
