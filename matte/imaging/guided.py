"""A guided filter that can leave pixels out of the fit.

K. He, J. Sun, X. Tang, "Guided Image Filtering", TPAMI 2013, with a weight for every pixel.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.imaging.bands import box_mean

Floats = NDArray[np.float32]


def guided_filter(
    guide: Floats,
    target: Floats,
    weight: Floats,
    region: NDArray[np.bool_],
    radius: int,
    epsilon: float,
) -> Floats:
    """`target` (H, W) as a locally linear function of `guide` (H, W, 3) in 0…1, within `region`.

    In every (2 radius + 1)² window a·guide + b is fitted to the target, pixels counting as much as
    their `weight`, |a|² as much as `epsilon` (his equations 19 to 21). A pixel gets the mean of the
    windows that hold it, counted by the weight in them. Outside the region the result is 0.
    """
    side = 2 * radius + 1
    window = np.ones((side, side), np.uint8)
    fitted_at = np.flatnonzero(cv2.dilate(region.astype(np.uint8), window))
    centred = guide - np.float32(0.5)
    planes = _fit_windows(centred, target, weight, fitted_at, radius, epsilon)

    coefficients = np.zeros((target.size, 5), np.float32)
    coefficients[fitted_at] = planes
    blurred = box_mean(coefficients.reshape(*target.shape, 5)[:, :, :4], radius).reshape(-1, 4)
    trust = box_mean(coefficients[:, 4].reshape(target.shape), radius).ravel()

    at = np.flatnonzero(region)
    a, b = blurred[at, :3], blurred[at, 3]
    values = np.einsum("ij,ij->i", a, centred.reshape(-1, 3)[at]) + b
    out = np.zeros(target.shape, np.float32)
    out.ravel()[at] = values / np.maximum(trust[at], 1e-6)
    return out


def local_lines(
    guide: Floats, target: Floats, region: NDArray[np.bool_], radius: int, epsilon: float
) -> Floats:
    """a and b (H, W, 4) that tell `target` (H, W) from `guide` (H, W, 3) as a·(guide − ½) + b: the
    mean of what fits the windows that hold a pixel, all pixels counting the same. For the same
    picture at a larger size they can be enlarged: K. He, J. Sun, "Fast Guided Filter", 2015.

    Valid within `region`; windows and epsilon are those of guided_filter().
    """
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    fitted_at = np.flatnonzero(cv2.dilate(region.astype(np.uint8), window))
    centred = guide - np.float32(0.5)
    planes = np.zeros((target.size, 4), np.float32)
    weight = np.ones_like(target)
    fitted = _fit_windows(centred, target, weight, fitted_at, radius, epsilon)
    planes[fitted_at] = fitted[:, :4]
    return box_mean(planes.reshape(*target.shape, 4), radius)


def _fit_windows(
    guide: Floats,
    target: Floats,
    weight: Floats,
    at: NDArray[np.intp],
    radius: int,
    epsilon: float,
) -> Floats:
    """For the windows around the flat indices `at`: a, b and the weight, all times the weight."""

    def mean(values: Floats) -> Floats:
        return box_mean(values, radius).ravel()[at]

    w = mean(weight)
    share = 1 / np.maximum(w, 1e-6)
    r, g, b = cv2.split(guide)
    wr, wg, wb, wt = (weight * x for x in (r, g, b, target))
    m_r, m_g, m_b, m_t = (mean(x) * share for x in (wr, wg, wb, wt))
    rr = mean(wr * r) * share - m_r * m_r + epsilon
    gg = mean(wg * g) * share - m_g * m_g + epsilon
    bb = mean(wb * b) * share - m_b * m_b + epsilon
    rg = mean(wr * g) * share - m_r * m_g
    rb = mean(wr * b) * share - m_r * m_b
    gb = mean(wg * b) * share - m_g * m_b
    c_r, c_g, c_b = (mean(wt * x) * share - m_t * m for x, m in ((r, m_r), (g, m_g), (b, m_b)))
    # The symmetric 3 × 3 system, solved by cofactors.
    k_rr, k_rg, k_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    k_gg, k_gb, k_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = w / np.maximum(rr * k_rr + rg * k_rg + rb * k_rb, epsilon**3)
    planes = np.empty((at.size, 5), np.float32)
    planes[:, 0] = (k_rr * c_r + k_rg * c_g + k_rb * c_b) * scale
    planes[:, 1] = (k_rg * c_r + k_gg * c_g + k_gb * c_b) * scale
    planes[:, 2] = (k_rb * c_r + k_gb * c_g + k_bb * c_b) * scale
    planes[:, 3] = m_t * w - (planes[:, 0] * m_r + planes[:, 1] * m_g + planes[:, 2] * m_b)
    planes[:, 4] = w
    return planes
