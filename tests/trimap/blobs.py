"""A disc that a segmenter is unsure about at its edge."""

import numpy as np

from matte.arrays import Confidence, Mask, as_mask


def blob(height: int, width: int, soft: float) -> Confidence:
    """A disc's confidence: ½ at its edge, and unsure within about `soft` of the long side."""
    y, x = np.mgrid[:height, :width]
    depth = min(height, width) / 3 - np.hypot(y - height / 2, x - width / 2)
    return Confidence((1 / (1 + np.exp(-depth / (soft * max(height, width))))).astype(np.float32))


def sure(confidence: Confidence) -> Mask:
    return as_mask(np.asarray(confidence >= 0.5))
