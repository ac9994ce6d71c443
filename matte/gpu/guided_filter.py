"""Guided filters on a device, as `matte.imaging.guided_filter` has them: all windows at once."""

import torch
from torch import Tensor

from matte.gpu.planes import box_mean


class DeviceGuidedWindows:
    """The (2 radius + 1)² windows around all pixels, prepared to filter one target or more."""

    def __init__(self, guide: Tensor, weight: Tensor, radius: int, epsilon: float) -> None:
        """`guide` is (1, 3, H, W), 0 … 1; pixels count as much as their `weight` (1, 1, H, W)."""
        self._radius = radius
        self._colours = colours = guide - 0.5
        self._weighted = torch.cat([weight, weight * colours], dim=1)
        means = box_mean(self._weighted, radius)
        self._weight = means[:, :1]
        self._share = 1 / self._weight.clamp(min=1e-6)
        self._mean = means[:, 1:] * self._share
        r, g, b = _channels(colours)
        wr, wg, wb = _channels(self._weighted[:, 1:])
        products = torch.cat([wr * r, wr * g, wr * b, wg * g, wg * b, wb * b], dim=1)
        mr, mg, mb = _channels(self._mean)
        squares = torch.cat([mr * mr, mr * mg, mr * mb, mg * mg, mg * mb, mb * mb], dim=1)
        covariance = box_mean(products, radius) * self._share - squares
        rr, rg, rb, gg, gb, bb = _channels(covariance)
        rr, gg, bb = rr + epsilon, gg + epsilon, bb + epsilon
        # The symmetric 3 × 3 system, solved by cofactors.
        k_rr, k_rg, k_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
        k_gg, k_gb, k_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        determinant = (rr * k_rr + rg * k_rg + rb * k_rb).clamp(min=epsilon**3)
        rows = ((k_rr, k_rg, k_rb), (k_rg, k_gg, k_gb), (k_rb, k_gb, k_bb))
        scale = self._weight / determinant
        self._solved = [torch.cat(row, dim=1) * scale for row in rows]

    def filter(self, target: Tensor) -> Tensor:
        """Return the filtered target (1, 1, H, W)."""
        planes = self.weighted_coefficients(target)
        values = (planes[:, :3] * self._colours).sum(dim=1, keepdim=True) + planes[:, 3:]
        return values / box_mean(self._weight, self._radius).clamp(min=1e-6)

    def weighted_coefficients(self, target: Tensor) -> Tensor:
        """Return the mean of a and b (1, 4, H, W) over the windows that hold a pixel.

        Each window counts by the weight in it, and the mean is not divided by the weights' sum.
        """
        means = box_mean(self._weighted * target, self._radius) * self._share
        target_mean = means[:, :1]
        covariance = means[:, 1:] - target_mean * self._mean
        a = torch.cat([(k * covariance).sum(dim=1, keepdim=True) for k in self._solved], dim=1)
        b = target_mean * self._weight - (a * self._mean).sum(dim=1, keepdim=True)
        return box_mean(torch.cat([a, b], dim=1), self._radius)


def local_linear_coefficients(guide: Tensor, target: Tensor, radius: int, epsilon: float) -> Tensor:
    """Return a and b (1, 4, H, W) by which `target` is about a·(guide − ½) + b."""
    windows = DeviceGuidedWindows(guide, torch.ones_like(target), radius, epsilon)
    return windows.weighted_coefficients(target)


def _channels(planes: Tensor) -> list[Tensor]:
    """Return the planes' channels, each (1, 1, H, W)."""
    return [planes[:, number : number + 1] for number in range(planes.shape[1])]
