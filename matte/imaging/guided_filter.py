"""A guided filter that can leave pixels out of the fit.

K. He, J. Sun, X. Tang, "Guided Image Filtering", TPAMI 2013, with a weight for every pixel.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, FloatArray
from matte.imaging.box_filter import box_mean


def guided_filter(
    guide: FloatArray,
    target: FloatArray,
    weight: FloatArray,
    region: BoolArray,
    radius: int,
    epsilon: float,
) -> FloatArray:
    """Return `target` (H, W) as a locally linear function of `guide` (H, W, 3), 0 … 1.

    In every (2 radius + 1)² window a·guide + b is fitted to the target, pixels counting as much as
    their `weight`, |a|² as much as `epsilon` (equations 19 to 21 of the paper). A pixel gets the
    mean of the windows that hold it, weighted by the weight in them. Outside `region` the result
    is 0.
    """
    return GuidedWindows(guide, weight, region, radius, epsilon).filter(target)


def local_linear_coefficients(
    guide: FloatArray, target: FloatArray, region: BoolArray, radius: int, epsilon: float
) -> FloatArray:
    """Return a and b (H, W, 4) by which `target` (H, W) is about a·(guide − ½) + b.

    Each pixel gets the mean of what fits the windows that hold it, all pixels counting the same.
    Valid within `region`; windows and epsilon are those of guided_filter(). For the same picture
    at a larger size the coefficients can be enlarged: K. He, J. Sun, "Fast Guided Filter", 2015.
    """
    windows = GuidedWindows(guide, np.ones_like(target), region, radius, epsilon)
    return windows.weighted_coefficients(target)


class GuidedWindows:
    """The windows that hold a region's pixels, prepared to filter one target or more."""

    def __init__(
        self,
        guide: FloatArray,
        weight: FloatArray,
        region: BoolArray,
        radius: int,
        epsilon: float,
    ) -> None:
        """Prepare the windows; the arguments are those of guided_filter()."""
        self._radius = radius
        self._shape = weight.shape
        square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        self._window_indices = np.flatnonzero(cv2.dilate(region.astype(np.uint8), square))
        centred = guide - np.float32(0.5)
        r, g, b = cv2.split(centred)
        wr, wg, wb = (weight * x for x in (r, g, b))
        # OpenCV blurs four planes at once in half the time.
        self._weighted = cv2.merge([weight, wr, wg, wb])
        w, *sums = self._window_means(self._weighted)
        share = 1 / np.maximum(w, 1e-6)
        m_r, m_g, m_b = self._mean = [x * share for x in sums]
        s_rr, s_rg, s_rb, s_gg = self._window_means(cv2.merge([wr * r, wr * g, wr * b, wg * g]))
        s_gb, s_bb = self._window_means(cv2.merge([wg * b, wb * b]))
        rr = s_rr * share - m_r * m_r + epsilon
        gg = s_gg * share - m_g * m_g + epsilon
        bb = s_bb * share - m_b * m_b + epsilon
        rg = s_rg * share - m_r * m_g
        rb = s_rb * share - m_r * m_b
        gb = s_gb * share - m_g * m_b
        # The symmetric 3 × 3 system, solved by cofactors.
        k_rr, k_rg, k_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
        k_gg, k_gb, k_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        scale = w / np.maximum(rr * k_rr + rg * k_rg + rb * k_rb, epsilon**3)
        self._solved = [
            [k * scale for k in row]
            for row in ((k_rr, k_rg, k_rb), (k_rg, k_gg, k_gb), (k_rb, k_gb, k_bb))
        ]
        self._weight, self._share = w, share
        self._region_indices = np.flatnonzero(region)
        self._colours = centred.reshape(-1, 3).take(self._region_indices, 0)

    def filter(self, target: FloatArray) -> FloatArray:
        """Return the filtered target (H, W), as guided_filter() does."""
        at = self._region_indices
        planes = self.weighted_coefficients(target).reshape(-1, 4).take(at, 0)
        trust = np.zeros(self._shape, np.float32)
        trust.ravel()[self._window_indices] = self._weight
        values = np.einsum("ij,ij->i", planes[:, :3], self._colours) + planes[:, 3]
        out = np.zeros(self._shape, np.float32)
        out.ravel()[at] = values / np.maximum(box_mean(trust, self._radius).ravel()[at], 1e-6)
        return out

    def variances(self, target: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the target's variance in each window, and what of it the guide doesn't explain.

        Both have a value for each window that holds a pixel of the region.
        """
        share = self._share
        weighted = np.asarray(cv2.multiply(self._weighted, cv2.merge([target] * 4)))
        squares = cv2.split(weighted)[0] * target
        m_t, *sums = (x * share for x in self._window_means(weighted))
        (m_tt,) = self._window_means(squares[:, :, None])
        c = [x - m_t * m for x, m in zip(sums, self._mean, strict=True)]
        whole = m_tt * share - m_t * m_t
        a = [(k_r * c[0] + k_g * c[1] + k_b * c[2]) * share for k_r, k_g, k_b in self._solved]
        explained = a[0] * c[0] + a[1] * c[1] + a[2] * c[2]
        return whole, np.maximum(whole - explained, 0)

    def as_map(self, values: FloatArray) -> FloatArray:
        """Return values of each window that holds a pixel of the region at its centre (H, W)."""
        found = np.zeros(self._shape, np.float32)
        found.ravel()[self._window_indices] = values
        return found

    def weighted_coefficients(self, target: FloatArray) -> FloatArray:
        """Return the mean of a and b (H, W, 4) over the windows that hold a pixel.

        Each window counts by the weight in it, and the mean is not divided by the weights' sum.
        """
        w, share = self._weight, self._share
        weighted_target = np.asarray(cv2.multiply(self._weighted, cv2.merge([target] * 4)))
        m_t, *sums = (x * share for x in self._window_means(weighted_target))
        c = [x - m_t * m for x, m in zip(sums, self._mean, strict=True)]
        a = [k_r * c[0] + k_g * c[1] + k_b * c[2] for k_r, k_g, k_b in self._solved]
        m_r, m_g, m_b = self._mean
        planes = np.zeros((w.size, 4), np.float32)
        for n, x in enumerate(a):
            planes[:, n] = x
        planes[:, 3] = m_t * w - (a[0] * m_r + a[1] * m_g + a[2] * m_b)
        full = np.zeros((self._shape[0] * self._shape[1], 4), np.float32)
        full[self._window_indices] = planes
        return box_mean(full.reshape(*self._shape, 4), self._radius)

    def _window_means(self, planes: NDArray[Any]) -> FloatArray:
        """Return the mean of each of N planes (H, W, N) in each window: (N, windows)."""
        means = box_mean(np.asarray(planes, np.float32), self._radius)
        return np.ascontiguousarray(
            means.reshape(-1, planes.shape[2]).take(self._window_indices, 0).T
        )
