"""An estimate of how wrong an alpha is, by which alphas of one picture are compared.

The formula and its weights: docs/decisions/0029-the-mark-of-a-sweep.md.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, Confidence, FloatArray, Image, Mask
from matte.imaging.guided_filter import GuidedWindows
from matte.imaging.resizing import PixelT, resize_by_halving

MAX_LONG_SIDE = 512  # pixels; larger pictures are measured at that size, for which the weights are
NARROW, WIDE = 1, 7  # pixels: radii of windows
EPSILON = 1e-4  # of the colours' variance, which keeps the fit in flat windows from following noise
MIN_SUM = 0.01  # of a feature, added before its logarithm is taken


@dataclass(frozen=True, slots=True)
class AlphaFeatures:
    """Four sums over a picture, from which the error of its alpha is estimated."""

    unexplained: float
    """Variance of alpha in wide windows that no linear function of the colours there explains.

    It is the cost of A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image
    Matting", TPAMI 2008, whose residual of the compositing equation is small in good mattes.
    """
    detail: float
    """Variance of alpha in narrow windows: how much is to be explained."""
    contradiction: float
    """How far alpha is from the segmenter's confidence, where that is sure."""
    stray: float
    """Alpha outside the mask, times its distance from it, as a share of the long side."""

    def log_error(self) -> float:
        """Return the logarithm of the error, up to a constant of the picture."""
        values = (self.unexplained, self.detail, self.contradiction, self.stray)
        return float(np.log(np.array(values) + MIN_SUM) @ np.array(WEIGHTS))


# Of the features' logarithms, in their order.
WEIGHTS = (0.56, -0.38, 0.14, 0.03)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """The features of an alpha for each pixel (h, w) of the size at which they are measured."""

    alpha: FloatArray
    unexplained: FloatArray
    detail: FloatArray
    contradiction: FloatArray
    stray: FloatArray

    def sums(
        self, box: tuple[slice, slice] = (slice(None), slice(None)), where: BoolArray | None = None
    ) -> AlphaFeatures:
        """Return the sums over all pixels, or over those of a box of rows and columns."""
        maps = (self.unexplained, self.detail, self.contradiction, self.stray)
        parts = (values[box] if where is None else values[box][where] for values in maps)
        return AlphaFeatures(*(float(part.sum(dtype=np.float64)) for part in parts))


class AlphaErrors:
    """What a picture and its segmentation say of the errors of alphas in a region.

    Outside the region, the union of the bands that are compared, all alphas are 0 or 1.
    """

    def __init__(self, image: Image, confidence: Confidence, mask: Mask, region: BoolArray) -> None:
        height, width = region.shape
        shrink = max(1.0, max(height, width) / MAX_LONG_SIDE)
        self._size = max(1, round(height / shrink)), max(1, round(width / shrink))
        top = np.float32(np.iinfo(image.dtype).max)
        guide = np.ascontiguousarray(self._shrink(image) / top, np.float32)
        near = self._shrink(np.where(region, 255, 0).astype(np.uint8)) > 0
        even = np.ones(self._size, np.float32)
        self._narrow, self._wide = (
            GuidedWindows(guide, even, near, radius, EPSILON) for radius in (NARROW, WIDE)
        )
        sure = self._shrink(confidence)
        self._confidence, self._sureness = sure, 1 - 4 * sure * (1 - sure)
        outside = (self._shrink(mask) <= 127).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        self._distance = np.asarray(distance / max(self._size), np.float32) * (outside > 0)

    def features(self, alpha: Alpha) -> AlphaFeatures:
        """Return the features of an alpha (H, W)."""
        return self.maps(alpha).sums()

    def maps(self, alpha: Alpha) -> FeatureMaps:
        """Return the features of an alpha (H, W), pixel by pixel."""
        small = np.ascontiguousarray(self._shrink(alpha))
        _, unexplained = self._wide.variances(small)
        detail, _ = self._narrow.variances(small)
        apart = np.abs(small - self._confidence) * self._sureness
        return FeatureMaps(
            small,
            self._wide.as_map(unexplained),
            self._narrow.as_map(detail),
            apart,
            small * self._distance,
        )

    def _shrink(self, values: NDArray[PixelT]) -> NDArray[PixelT]:
        """Return the values at the size at which they are measured."""
        return values if values.shape[:2] == self._size else resize_by_halving(values, *self._size)
