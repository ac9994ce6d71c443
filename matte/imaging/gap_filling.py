"""Gaps in a picture, filled from the pixels around them."""

import cv2
import numpy as np

from matte.arrays import FloatArray


def fill_gaps(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return values (H, W, C ≤ 4) with the pixels of weight 0 filled by means of near ones.

    `weight` (H, W) is 1 where values are known, which stay as they are, and 0 in the gaps; what is
    between is partly filled.

    Pull-push: S. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4.2: means over ever
    larger squares, then from the coarsest back, each level filling what the finer one leaves open.
    """
    height, width = weight.shape
    weighted = values * weight[:, :, None]
    if max(height, width) == 1:
        return np.asarray(values, np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    share = np.asarray(cv2.resize(weight, half, interpolation=cv2.INTER_AREA), np.float32)
    sums = cv2.resize(weighted, half, interpolation=cv2.INTER_AREA)
    means = sums.reshape(*share.shape, -1) / np.maximum(share, 1e-12)[:, :, None]
    coarse = fill_gaps(np.asarray(means, np.float32), np.minimum(4 * share, 1))
    filling = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    filling = filling.reshape(values.shape)
    return np.asarray(weighted + (1 - weight)[:, :, None] * filling, np.float32)
