"""A frame and its trimap on a device, with arrays of them for what is decided on the processor."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matte.arrays import SUBJECT, UNKNOWN, Image, Trimap
from matte.gpu.planes import resize, resize_levels
from matte.gpu.transfer import Device, download_frames, download_plane, upload_frames, upload_plane

Box = tuple[slice, slice]
BOTH_SIDES = (Ellipsis,)  # of planes: every frame and channel


class DevicePicture:
    """A frame's planes (1, 3, H, W), whole numbers 0 … 255, and the same as an array."""

    def __init__(self, planes: Tensor, array: Image | None = None) -> None:
        """`array` is the frame where the processor has it already."""
        self.planes = planes
        self._array = array

    @property
    def array(self) -> Image:
        """The frame (H, W, 3), downloaded when it is first asked for."""
        if self._array is None:
            self._array = Image(download_frames(self.planes)[0])
        return self._array

    def crop(self, box: Box) -> Tensor:
        """Return the planes of a part of the frame."""
        return self.planes[(*BOTH_SIDES, *box)]


class DeviceTrimap:
    """A trimap's levels (1, 1, H, W) uint8, and the same as an array."""

    def __init__(self, levels: Tensor, array: Trimap | None = None) -> None:
        """`array` is the trimap where the processor has it already."""
        self.levels = levels
        self._array = array

    @property
    def array(self) -> Trimap:
        """The trimap (H, W), downloaded when it is first asked for."""
        if self._array is None:
            self._array = Trimap(download_plane(self.levels))
        return self._array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.levels.shape[2], self.levels.shape[3]

    @property
    def unknown(self) -> Tensor:
        """Where it is unknown, (1, 1, H, W)."""
        return self.levels == UNKNOWN

    def known_alpha(self) -> Tensor:
        """Return 1 where it knows the subject, else 0, (1, 1, H, W)."""
        return (self.levels == SUBJECT).float()


@dataclass(frozen=True, slots=True, eq=False)
class DeviceReusableAlpha:
    """An alpha (1, 1, H, W) that is known already, and where it is `stale`."""

    alpha: Tensor
    stale: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRefined:
    """A refined alpha (1, 1, H, W), and in plain JSON values how it was found."""

    alpha: Tensor
    report: dict[str, Any] = field(default_factory=dict)


def upload_picture(image: Image, device: Device) -> DevicePicture:
    """Return a picture of 8 bits on the device."""
    return DevicePicture(upload_frames([image], device), image)


def upload_trimap(trimap: Trimap, device: Device) -> DeviceTrimap:
    """Return a trimap on the device."""
    return DeviceTrimap(upload_plane(trimap, device), trimap)


def shrink(image: Tensor, levels: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return image and trimap planes at height × width: unknown wherever one of the pixels was."""
    level = resize_levels(levels.float(), height, width)
    unknown = (level > 0) & (level < SUBJECT)
    return resize_levels(image, height, width), torch.where(unknown, UNKNOWN, level).to(torch.uint8)


def region_box(region: Tensor, margin: int = 0) -> Box | None:
    """Return the rows and columns around all True pixels of a region (1, 1, H, W); None if none.

    As `matte.imaging.regions.bounding_box`: only which rows and columns hold one is downloaded.
    """
    height, width = region.shape[2:]
    held = torch.cat([region[0, 0].any(dim=1), region[0, 0].any(dim=0)]).cpu().numpy()
    rows, columns = np.flatnonzero(held[:height]), np.flatnonzero(held[height:])
    if rows.size == 0:
        return None
    return _widen(rows, margin, height), _widen(columns, margin, width)


def _widen(places: NDArray[np.intp], margin: int, length: int) -> slice:
    """Return the slice from the first place to the last, `margin` wider on both sides."""
    return slice(max(0, int(places[0]) - margin), min(length, int(places[-1]) + 1 + margin))


def resize_part(planes: Tensor, box: Box, height: int, width: int) -> Tensor:
    """Return a part of the planes, resized."""
    return resize(planes[(*BOTH_SIDES, *box)], height, width)
