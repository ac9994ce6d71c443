"""Planes sampled between their pixels, and warped along optical flow, on a device.

As `matte.imaging.sampling` and `matte.imaging.flow` do it by OpenCV.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from matte.gpu.planes import box_mean, resize
from matte.imaging.flow import MEAN_WINDOW_SIDE, OTHER_LEVELS, SAME_LEVELS


def sample(planes: Tensor, x: Tensor, y: Tensor, sharp: bool = False) -> Tensor:
    """Return the planes (1, C, H, W) interpolated at places x and y (h, w), as (1, C, h, w).

    Borders are repeated outwards. With `sharp` the interpolation is cubic, and may overshoot.
    """
    height, width = planes.shape[2:]
    across, down = ((2 * place + 1) / length - 1 for place, length in ((x, width), (y, height)))
    grid = torch.stack([across, down], dim=-1)[None]
    mode = "bicubic" if sharp else "bilinear"
    return F.grid_sample(planes, grid, mode=mode, padding_mode="border", align_corners=False)


def warp(planes: Tensor, flow: Tensor) -> Tensor:
    """Return planes of the previous frame, warped along the flow (1, 2, h, w) to this one."""
    height, width = planes.shape[2:]
    steps = resize(flow, height, width)[0]
    x, y = _pixel_places(height, width, flow.device)
    across, down = width / flow.shape[3], height / flow.shape[2]
    return sample(planes, x + steps[0] * across, y + steps[1] * down)


def source_places(flow: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return where each pixel of a height × width picture was in the previous frame: x and y.

    `flow` (1, 2 + k, h, w) is a flow copy's. The k values beside it there come as (k, H, W).
    """
    found = upsample_coefficients(flow, height, width)[0]
    x, y = _pixel_places(height, width, flow.device)
    across, down = width / flow.shape[3], height / flow.shape[2]
    return x + found[0] * across, y + found[1] * down, found[2:]


def upsample_coefficients(planes: Tensor, height: int, width: int) -> Tensor:
    """Return a small copy's planes at the places of the large picture's pixels."""
    x, y = _pixel_places(height, width, planes.device)
    across, down = width / planes.shape[3], height / planes.shape[2]
    return sample(planes, (x + 0.5) / across - 0.5, (y + 0.5) / down - 0.5)


def local_mean_colours(image: Tensor) -> Tensor:
    """Return the mean of the small window around each pixel, rounded, (N, 3, H, W)."""
    return box_mean(image, MEAN_WINDOW_SIDE // 2).round()


def colour_agreement(current: Tensor, previous: Tensor) -> Tensor:
    """Return how surely local mean colours show the same thing: 0 … 1, (N, 1, H, W)."""
    largest = (current - previous).abs().amax(dim=1, keepdim=True)
    return ((OTHER_LEVELS - largest) / (OTHER_LEVELS - SAME_LEVELS)).clamp(0, 1)


def _pixel_places(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the column and the row of each pixel, both (H, W) float32."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device, dtype=torch.float32),
        torch.arange(width, device=device, dtype=torch.float32),
        indexing="ij",
    )
    return x, y
