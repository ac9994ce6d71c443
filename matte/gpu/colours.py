"""The subject's own colours, and the subject on another background, on a device.

What `matte.compositing.foreground` and `blend` do. The colours are estimated over whole frames,
where numpy cuts out what is soft: means then lie over other squares, and differ by a level or two.
"""

import torch
from torch import Tensor

from matte.compositing.foreground import AVERAGING_STEPS, NEAR_COPY_PIXELS
from matte.gpu.planes import box_mean, grown_square, scaled, scaled_levels

LARGEST = 255


def estimate_foreground(image: Tensor, alpha: Tensor) -> Tensor:
    """The subject's colours, (N, 3, H, W) whole numbers 0 … 255, for pictures of that kind and
    alpha (N, 1, H, W).
    """
    height, width = alpha.shape[2:]
    scale = max(1, round(max(height, width) / 1000))
    small = _shrunk(alpha, scale)
    size = -(-height // scale), -(-width // scale)
    f, b = _averages(scaled_levels(image, *size), small)
    soft = grown_square((small > 0) & (small < 1), NEAR_COPY_PIXELS).float()
    near = scaled(soft, height, width) >= 0.5
    estimate, _ = _explained(image, alpha, scaled(f, height, width), scaled(b, height, width))
    estimate = estimate.clamp(0, LARGEST).round()
    whole = alpha == 1
    estimated = (near | (alpha > 0)) & ~whole
    # Where nothing is soft nothing is estimated, as in numpy.
    some = ((alpha > 0) & ~whole).flatten(1).any(dim=1).view(-1, 1, 1, 1)
    return torch.where(whole, image, torch.where(estimated & some, estimate, 0))


def _averages(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """F and B around each pixel, from ever narrower views."""
    f = b = fore = back = _shrunk(image, AVERAGING_STEPS[0][0])
    for turn, (factor, radius) in enumerate(AVERAGING_STEPS):
        seen, a = _shrunk(image, factor), _shrunk(alpha, factor)
        if turn > 0:
            height, width = a.shape[2:]
            fore, back = _explained(seen, a, scaled(f, height, width), scaled(b, height, width))
            fore, back = fore.clamp(0, LARGEST), back.clamp(0, LARGEST)
        means = box_mean(torch.cat([a, fore * a, back * (1 - a)], dim=1), radius)
        share = means[:, :1]
        f = means[:, 1:4] / (share + 1e-5)
        b = means[:, 4:] / (1 - share + 1e-5)
    return f, b


def _explained(image: Tensor, alpha: Tensor, fore: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """F and B, changed as little as makes αF + (1 − α)B the picture."""
    rest = 1 - alpha
    missing = (image - alpha * fore - rest * back) / (alpha * alpha + rest * rest)
    return fore + alpha * missing, back + rest * missing


def _shrunk(planes: Tensor, factor: int) -> Tensor:
    height, width = planes.shape[2:]
    return scaled(planes, -(-height // factor), -(-width // factor))


def mixed(foreground: Tensor, alpha: Tensor, background: Tensor, blend: str) -> Tensor:
    """αF + (1 − α)B, rounded, (N, 3, H, W); pictures of whole numbers 0 … 255."""
    if blend == "linear":
        f, b = (_to_light(x / LARGEST) for x in (foreground, background))
        soft = (_to_values(b + alpha * (f - b)) * LARGEST).round()
    else:
        soft = (background + alpha * (foreground - background)).round()
    return torch.where(alpha >= 1, foreground, torch.where(alpha > 0, soft, background))


def _to_light(values: Tensor) -> Tensor:
    return torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _to_values(light: Tensor) -> Tensor:
    light = light.clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
