"""A guided filter that can leave pixels out of the fit.

K. He, J. Sun, X. Tang, "Guided Image Filtering", TPAMI 2013, with a weight for every pixel.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.imaging.bands import box_mean


def guided_filter(
    guide: FloatArray,
    target: FloatArray,
    weight: FloatArray,
    region: NDArray[np.bool_],
    radius: int,
    epsilon: float,
) -> FloatArray:
    """`target` (H, W) as a locally linear function of `guide` (H, W, 3) in 0…1, within `region`.

    In every (2 radius + 1)² window a·guide + b is fitted to the target, pixels counting as much as
    their `weight`, |a|² as much as `epsilon` (his equations 19 to 21). A pixel gets the mean of the
    windows that hold it, counted by the weight in them. Outside the region the result is 0.
    """
    return Windows(guide, weight, region, radius, epsilon).filtered(target)


def local_lines(
    guide: FloatArray, target: FloatArray, region: NDArray[np.bool_], radius: int, epsilon: float
) -> FloatArray:
    """a and b (H, W, 4) that tell `target` (H, W) from `guide` (H, W, 3) as a·(guide − ½) + b: the
    mean of what fits the windows that hold a pixel, all pixels counting the same. For the same
    picture at a larger size they can be enlarged: K. He, J. Sun, "Fast Guided Filter", 2015.

    Valid within `region`; windows and epsilon are those of guided_filter().
    """
    return Windows(guide, np.ones_like(target), region, radius, epsilon).sums(target)


class Windows:
    """The windows that hold a region's pixels, ready for guided_filter() of one target or more."""

    def __init__(
        self,
        guide: FloatArray,
        weight: FloatArray,
        region: NDArray[np.bool_],
        radius: int,
        epsilon: float,
    ) -> None:
        """All but the target of guided_filter()."""
        self._radius = radius
        self._shape = weight.shape
        square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        self._at = np.flatnonzero(cv2.dilate(region.astype(np.uint8), square))
        centred = guide - np.float32(0.5)
        r, g, b = cv2.split(centred)
        wr, wg, wb = (weight * x for x in (r, g, b))
        # OpenCV blurs four planes at once in half the time.
        self._weighted = cv2.merge([weight, wr, wg, wb])
        w, *sums = self._means(self._weighted)
        share = 1 / np.maximum(w, 1e-6)
        m_r, m_g, m_b = self._mean = [x * share for x in sums]
        s_rr, s_rg, s_rb, s_gg = self._means(cv2.merge([wr * r, wr * g, wr * b, wg * g]))
        s_gb, s_bb = self._means(cv2.merge([wg * b, wb * b]))
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
        self._inside = np.flatnonzero(region)
        self._colours = centred.reshape(-1, 3).take(self._inside, 0)

    def filtered(self, target: FloatArray) -> FloatArray:
        """What guided_filter() gives."""
        at = self._inside
        planes = self.sums(target).reshape(-1, 4).take(at, 0)
        trust = np.zeros(self._shape, np.float32)
        trust.ravel()[self._at] = self._weight
        values = np.einsum("ij,ij->i", planes[:, :3], self._colours) + planes[:, 3]
        out = np.zeros(self._shape, np.float32)
        out.ravel()[at] = values / np.maximum(box_mean(trust, self._radius).ravel()[at], 1e-6)
        return out

    def sums(self, target: FloatArray) -> FloatArray:
        """a and b (H, W, 4) of the windows that hold a pixel: their mean, times the weight."""
        w, share = self._weight, self._share
        m_t, *sums = (
            x * share
            for x in self._means(np.asarray(cv2.multiply(self._weighted, cv2.merge([target] * 4))))
        )
        c = [x - m_t * m for x, m in zip(sums, self._mean, strict=True)]
        a = [k_r * c[0] + k_g * c[1] + k_b * c[2] for k_r, k_g, k_b in self._solved]
        m_r, m_g, m_b = self._mean
        planes = np.zeros((w.size, 4), np.float32)
        for n, x in enumerate(a):
            planes[:, n] = x
        planes[:, 3] = m_t * w - (a[0] * m_r + a[1] * m_g + a[2] * m_b)
        full = np.zeros((self._shape[0] * self._shape[1], 4), np.float32)
        full[self._at] = planes
        return box_mean(full.reshape(*self._shape, 4), self._radius)

    def _means(self, planes: NDArray[Any]) -> FloatArray:
        """Of each plane (H, W, N), in the windows around the region's pixels: (N, windows)."""
        means = box_mean(np.asarray(planes, np.float32), self._radius)
        return np.ascontiguousarray(means.reshape(-1, planes.shape[2]).take(self._at, 0).T)
