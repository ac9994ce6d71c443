"""The subject's own colours, and the subject on another background, on a device.

What `matte.compositing.foreground` and `matte.compositing.blend` do. The colours are estimated over
whole frames, where numpy cuts out what is soft: means then cover other squares, and differ by a
level or two.
"""

import torch
from torch import Tensor

from matte.compositing.blend import Blend
from matte.compositing.foreground import AVERAGING_STEPS, COPY_LONG_SIDE, NEAR_COPY_PIXELS
from matte.gpu.planes import box_mean, dilate_by_square, resize, resize_levels

WHITE = 255  # the largest level of 8-bit frames


def estimate_foreground(image: Tensor, alpha: Tensor, detail: int = COPY_LONG_SIDE) -> Tensor:
    """Return the subject's own colours, (N, 3, H, W), whole numbers 0 … 255.

    `image` is of the same kind, `alpha` (N, 1, H, W). Where nothing is soft, nothing is estimated.
    Larger pictures are averaged on a copy whose long side has about `detail` pixels.
    """
    height, width = alpha.shape[2:]
    scale = max(1, round(max(height, width) / detail))
    reach = max(1, round(NEAR_COPY_PIXELS * detail / COPY_LONG_SIDE))
    small = _shrink(alpha, scale)
    size = -(-height // scale), -(-width // scale)
    f, b = _average_colours(resize_levels(image, *size), small)
    soft = dilate_by_square((small > 0) & (small < 1), reach).float()
    near = resize(soft, height, width) >= 0.5
    f, b = resize(f, height, width), resize(b, height, width)
    estimate, _ = _explain_picture(image, alpha, f, b)
    estimate = estimate.clamp(0, WHITE).round()
    solid = alpha == 1
    estimated = (near | (alpha > 0)) & ~solid
    has_soft = ((alpha > 0) & ~solid).flatten(1).any(dim=1).view(-1, 1, 1, 1)
    return torch.where(solid, image, torch.where(estimated & has_soft, estimate, 0))


def _average_colours(image: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Return F and B around each pixel, averaged ever more narrowly."""
    f = b = fore = back = _shrink(image, AVERAGING_STEPS[0][0])
    for turn, (factor, radius) in enumerate(AVERAGING_STEPS):
        small, a = _shrink(image, factor), _shrink(alpha, factor)
        if turn > 0:
            height, width = a.shape[2:]
            f, b = resize(f, height, width), resize(b, height, width)
            fore, back = _explain_picture(small, a, f, b)
            fore, back = fore.clamp(0, WHITE), back.clamp(0, WHITE)
        means = box_mean(torch.cat([a, fore * a, back * (1 - a)], dim=1), radius)
        share = means[:, :1]
        f = means[:, 1:4] / (share + 1e-5)
        b = means[:, 4:] / (1 - share + 1e-5)
    return f, b


def _explain_picture(
    image: Tensor, alpha: Tensor, fore: Tensor, back: Tensor
) -> tuple[Tensor, Tensor]:
    """Return F and B, changed as little as possible so that αF + (1 − α)B is the picture."""
    rest = 1 - alpha
    missing = (image - alpha * fore - rest * back) / (alpha * alpha + rest * rest)
    return fore + alpha * missing, back + rest * missing


def _shrink(planes: Tensor, factor: int) -> Tensor:
    """Return means over squares of `factor` pixels, the last ones narrower."""
    height, width = planes.shape[2:]
    return resize(planes, -(-height // factor), -(-width // factor))


def cut_out(foreground: Tensor, alpha: Tensor, premultiply: bool = False) -> Tensor:
    """Return the subject as RGBA (N, 4, H, W), whole numbers 0 … 255.

    The colours are straight, or multiplied with alpha and rounded.
    """
    colours = (foreground * alpha).round() if premultiply else foreground
    return torch.cat([colours, (alpha * WHITE).round()], dim=1)


def blend_over(foreground: Tensor, alpha: Tensor, background: Tensor, blend: Blend) -> Tensor:
    """Return αF + (1 − α)B, rounded, (N, 3, H, W), for pictures of whole numbers 0 … 255.

    `blend` is what is weighted: "srgb", the stored values, or "linear", their light.
    """
    if blend == "linear":
        f, b = (_srgb_to_light(x / WHITE) for x in (foreground, background))
        soft = (_light_to_srgb(b + alpha * (f - b)) * WHITE).round()
    else:
        soft = (background + alpha * (foreground - background)).round()
    return torch.where(alpha >= 1, foreground, torch.where(alpha > 0, soft, background))


def _srgb_to_light(values: Tensor) -> Tensor:
    """Return the light that stored sRGB values 0 … 1 stand for."""
    return torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _light_to_srgb(light: Tensor) -> Tensor:
    """Return the sRGB values 0 … 1 that light is stored as."""
    light = light.clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
