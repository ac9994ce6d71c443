"""A refiner on a device that sees a small copy: what `matte.refiner.low_resolution` does."""

from dataclasses import dataclass

import torch
from torch import Tensor

from matte.gpu.guided_filter import local_linear_coefficients
from matte.gpu.pictures import (
    BOTH_SIDES,
    Box,
    DevicePicture,
    DeviceRefined,
    DeviceReusableAlpha,
    DeviceTrimap,
    region_box,
    resize_part,
    shrink,
)
from matte.gpu.refiner import DeviceRefiner
from matte.gpu.warping import upsample_coefficients
from matte.imaging.resizing import can_halve
from matte.refiner.gca import MIN_VISIBLE_ALPHA
from matte.refiner.low_resolution import EPSILON, MARGIN, RADIUS, aligned_box

WHITE = 255


@dataclass(frozen=True, slots=True, eq=False)
class _DeviceCopy:
    """A small copy of the part of a frame that holds the unknown band."""

    box: Box
    picture: DevicePicture
    trimap: DeviceTrimap


class DeviceLowResolution:
    """Shows another refiner no more than a small copy of a large frame."""

    def __init__(self, refiner: DeviceRefiner, max_side: int) -> None:
        """`refiner` sees copies whose long side is at most `max_side` pixels."""
        self._refiner, self._max_side = refiner, max_side

    def refine(
        self,
        picture: DevicePicture,
        trimap: DeviceTrimap,
        reusable: DeviceReusableAlpha | None = None,
    ) -> DeviceRefined:
        """Return alpha: 0 and 1 where the trimap is known."""
        if max(trimap.shape) <= self._max_side:
            return self._refiner.refine(picture, trimap, reusable)
        alpha, region, known = trimap.known_alpha(), trimap.unknown, None
        if reusable is not None:
            alpha = torch.where(region, reusable.alpha, alpha)
            region = region & reusable.stale
        copy = self._copy_around(picture, trimap, region)
        if copy is None:
            return DeviceRefined(alpha)
        if reusable is not None:
            size = copy.trimap.shape
            stale = resize_part(reusable.stale.float(), copy.box, *size) > 0
            known = DeviceReusableAlpha(resize_part(reusable.alpha, copy.box, *size), stale)
        small = self._refiner.refine(copy.picture, copy.trimap, known)
        part = (*BOTH_SIDES, *copy.box)
        enlarged = _upsample(small.alpha, copy, picture.planes[part])
        alpha[part] = torch.where(region[part], enlarged, alpha[part])
        height, width = copy.trimap.shape
        enlarged_from = {"width": width, "height": height}
        return DeviceRefined(alpha, {"enlarged_from": enlarged_from, **small.report})

    def _copy_around(
        self, picture: DevicePicture, trimap: DeviceTrimap, region: Tensor
    ) -> _DeviceCopy | None:
        """Return a copy of the frame's part around the region; None if the region is empty."""
        factor = max(trimap.shape) / self._max_side
        found = region_box(region, margin=round(MARGIN * factor))
        if found is None:
            return None
        rows, columns = aligned_box(found, trimap.shape, factor)
        part, known = picture.crop((rows, columns)), trimap.levels[..., rows, columns]
        high, wide = known.shape[2:]
        height, width = max(1, round(high / factor)), max(1, round(wide / factor))
        while can_halve(known.shape[2:], (height, width)):
            part, known = shrink(part, known, known.shape[2] // 2, known.shape[3] // 2)
        small, levels = shrink(part, known, height, width)
        return _DeviceCopy((rows, columns), DevicePicture(small), DeviceTrimap(levels))


def _upsample(small: Tensor, copy: _DeviceCopy, image: Tensor) -> Tensor:
    """Return the copy's alpha, upsampled along the colours of the frame's part."""
    lines = local_linear_coefficients(copy.picture.planes / WHITE, small, RADIUS, EPSILON)
    coefficients = upsample_coefficients(lines, *image.shape[2:])
    colours = image / WHITE - 0.5
    values = (coefficients[:, :3] * colours).sum(dim=1, keepdim=True) + coefficients[:, 3:]
    least = float(MIN_VISIBLE_ALPHA)
    values = torch.where(values < least, 0.0, values)
    return torch.where(values > 1 - least, 1.0, values)
