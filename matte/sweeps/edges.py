"""How well an alpha's edges lie on its picture's."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, FloatArray, Image
from matte.imaging.resizing import resize

LONG_SIDE = 1000  # pixels; larger pictures are measured at about that size
BLUR = 1.0  # pixels; finer than this it is noise
LEAST = 1e-6  # a steepness below it is no edge


class Edges:
    """A picture's edges in a region, to which alphas are held.

    Each pixel of the region is ranked by how steep the picture is there, 0 … 1. An alpha's
    agreement is 2r − 1, where r is the mean rank under its own edges, weighted by how steep alpha
    is: 0 if its edges lie anywhere, 1 if they lie on the picture's steepest places, below 0 if they
    keep away from them. In words: how much more likely a piece of alpha's edge meets a stronger
    edge of the picture than a place of the region taken by chance does.

    The region is the same for all alphas that are compared: the union of their bands. So a narrow
    band wins nothing by being narrow: where it forbids alpha to reach the picture's edge, alpha
    jumps in a flat place; and a wide band loses where alpha strays into what is not the subject.
    On 30 portraits with true alpha the agreement picks narrow bands while the masks are good, and
    wide ones once the masks are grown or shrunk by 12 pixels.
    """

    def __init__(self, image: Image, region: NDArray[np.bool_]) -> None:
        height, width = region.shape
        shrink = max(1.0, max(height, width) / LONG_SIDE)
        self._size = max(1, round(height / shrink)), max(1, round(width / shrink))
        self._region = self._small(region.astype(np.float32)) > 0
        colours = np.asarray(image, np.float32) / np.float32(np.iinfo(image.dtype).max)
        steep = _steepness(self._small(colours))
        self._ranks = _ranks(steep[self._region])

    def agreement(self, alpha: Alpha) -> float | None:
        """−1 … 1, 0 by chance; None where alpha has no edges in the region."""
        weights = _steepness(self._small(alpha)[:, :, None])[self._region]
        total = float(weights.sum(dtype=np.float64))
        if not total > LEAST * max(1, weights.size):
            return None
        return float(2 * (weights * self._ranks).sum(dtype=np.float64) / total - 1)

    def _small(self, values: FloatArray) -> FloatArray:
        return values if values.shape[:2] == self._size else resize(values, *self._size)


def _steepness(values: FloatArray) -> FloatArray:
    """The length of the gradient, all channels (H, W, C) together."""
    blurred = cv2.GaussianBlur(values, (0, 0), BLUR).reshape(values.shape)
    slopes = [
        cv2.Sobel(blurred, cv2.CV_32F, *way).reshape(values.shape) for way in ((1, 0), (0, 1))
    ]
    squares = [(slope * slope).sum(axis=2) for slope in slopes]
    return np.asarray(np.sqrt(squares[0] + squares[1]), np.float32)


def _ranks(values: FloatArray) -> NDArray[np.float64]:
    """The share of values below each one, equal ones counted half: their mean is a half."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(below / (2 * max(1, values.size)), np.float64)
