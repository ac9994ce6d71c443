"""The guided refiner on a device: what `matte.refiner.guided` does."""

import torch
from torch import Tensor

from matte.arrays import UNKNOWN
from matte.gpu.guided_filter import DeviceGuidedWindows
from matte.gpu.pictures import (
    BOTH_SIDES,
    DevicePicture,
    DeviceRefined,
    DeviceReusableAlpha,
    DeviceTrimap,
)
from matte.gpu.planes import dilate_by_square, resize
from matte.imaging.regions import bounding_box, region_depth
from matte.refiner.guided import EPSILON, ESTIMATE_WEIGHT, MAX_RADIUS, RADII

WHITE = 255


class DeviceGuided:
    """Extends the known pixels into the band with wide windows first; each corrects the last."""

    def refine(
        self,
        picture: DevicePicture,
        trimap: DeviceTrimap,
        reusable: DeviceReusableAlpha | None = None,
    ) -> DeviceRefined:
        """Return alpha: 0 and 1 where the trimap is known."""
        unknown = trimap.array == UNKNOWN
        alpha = trimap.levels.float() / WHITE
        box = bounding_box(unknown)
        if box is None:
            return DeviceRefined(alpha)
        depth = region_depth(unknown[box])
        box = bounding_box(unknown, margin=round(2 * depth) + 2)
        assert box is not None
        part = (*BOTH_SIDES, *box)
        alpha[part] = _refine_box(
            picture.planes[part] / WHITE, alpha[part], trimap.unknown[part], depth
        )
        return DeviceRefined(alpha)


def _refine_box(guide: Tensor, known: Tensor, unknown: Tensor, depth: float) -> Tensor:
    """Return alpha in a box around the band: guided filters, wide windows first."""
    weight = (~unknown).float()
    estimated = torch.where(unknown, ESTIMATE_WEIGHT, 1.0)
    alpha, windows, before = known, None, 0
    for radius in RADII:
        pixels = max(2.0, radius * depth)
        near = min(round(pixels), MAX_RADIUS)
        if pixels > MAX_RADIUS:
            guess = _filter_small(guide, alpha, weight, unknown, pixels / MAX_RADIUS)
        else:
            if windows is None or near != before:
                windows, before = DeviceGuidedWindows(guide, weight, near, EPSILON), near
            guess = windows.filter(alpha)
        alpha = torch.where(unknown, guess.clamp(0, 1), known)
        if weight is not estimated:
            weight, windows = estimated, None
    return alpha


def _filter_small(
    guide: Tensor, alpha: Tensor, weight: Tensor, unknown: Tensor, shrink: float
) -> Tensor:
    """Return the guided filter's alpha with windows of `shrink` times the maximal radius."""
    height, width = alpha.shape[2:]
    small = max(1, round(height / shrink)), max(1, round(width / shrink))
    small_weight = resize(weight, *small)
    target = resize(alpha * weight, *small) / small_weight.clamp(min=1e-6)
    region = dilate_by_square(resize(unknown.float(), *small) > 0, 2)
    windows = DeviceGuidedWindows(resize(guide, *small), small_weight, MAX_RADIUS, EPSILON)
    return resize(windows.filter(target) * region, height, width)
