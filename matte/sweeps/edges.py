"""A score of how well alpha's edges lie on the picture's edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, FloatArray, Image
from matte.imaging.resizing import resize

MAX_LONG_SIDE = 1000  # pixels; larger pictures are measured at about that size
BLUR_SIGMA = 1.0  # pixels; what is finer is noise
MIN_MEAN_STEEPNESS = 1e-6  # of alpha per pixel of the region, for it to have edges


class PictureEdges:
    """A picture's edges in a region, with which the edges of alphas are compared.

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

    def __init__(self, image: Image, region: BoolArray) -> None:
        height, width = region.shape
        shrink = max(1.0, max(height, width) / MAX_LONG_SIDE)
        self._size = max(1, round(height / shrink)), max(1, round(width / shrink))
        self._region = self._shrink(region.astype(np.float32)) > 0
        colours = np.asarray(image, np.float32) / np.float32(np.iinfo(image.dtype).max)
        steep = _steepness(self._shrink(colours))
        self._ranks = _ranks(steep[self._region])

    def agreement(self, alpha: Alpha) -> float | None:
        """Return how well alpha's edges lie on the picture's: −1 … 1, 0 by chance.

        None if alpha has no edges in the region.
        """
        weights = _steepness(self._shrink(alpha)[:, :, None])[self._region]
        total = float(weights.sum(dtype=np.float64))
        if not total > MIN_MEAN_STEEPNESS * max(1, weights.size):
            return None
        return float(2 * (weights * self._ranks).sum(dtype=np.float64) / total - 1)

    def _shrink(self, values: FloatArray) -> FloatArray:
        """Return the values at the size at which edges are measured."""
        return values if values.shape[:2] == self._size else resize(values, *self._size)


def _steepness(values: FloatArray) -> FloatArray:
    """Return the length of the gradient (H, W) of all channels (H, W, C) together."""
    blurred = cv2.GaussianBlur(values, (0, 0), BLUR_SIGMA).reshape(values.shape)
    slopes = [
        cv2.Sobel(blurred, cv2.CV_32F, *axis).reshape(values.shape) for axis in ((1, 0), (0, 1))
    ]
    squares = [(slope * slope).sum(axis=2) for slope in slopes]
    return np.asarray(np.sqrt(squares[0] + squares[1]), np.float32)


def _ranks(values: FloatArray) -> NDArray[np.float64]:
    """Return the share of values below each one, equal ones counted half: their mean is a half."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(below / (2 * max(1, values.size)), np.float64)
