"""The losses that training minimises."""

import torch
import torch.nn.functional as F
from torch import Tensor

from matte.arrays import SUBJECT, UNKNOWN

PYRAMID_LEVELS = 5


def segmentation_losses(logits: Tensor, label: Tensor, boundary: float = 0.0) -> dict[str, Tensor]:
    """Return binary cross-entropy and Dice over the pixels whose label isn't 128.

    `logits` (N, 1, H, W); `label` (N, H, W) uint8: 0, 128 or 255. Pixels within two of the
    subject's edge count 1 + `boundary` times in the cross-entropy. Dice is the mean over the
    pictures that show a subject, so that a small one counts as much as a large one; in the others
    a handful of wrong pixels would cost as much as missing a whole subject.
    """
    logits = logits[:, 0].float()
    counts = (label != UNKNOWN).float()
    target = (label == SUBJECT).float()
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    weight = counts * (1 + boundary * _edge_band(target)) if boundary else counts
    cross_entropy = (each * weight).sum() / weight.sum().clamp(min=1)
    probability = logits.sigmoid() * counts
    overlap = (probability * target).sum(dim=(1, 2))
    size = target.sum(dim=(1, 2))
    dice = 1 - 2 * overlap / (probability.sum(dim=(1, 2)) + size).clamp(min=1)
    shown = (size > 0).float()
    return {
        "cross-entropy": cross_entropy,
        "dice": (dice * shown).sum() / shown.sum().clamp(min=1),
    }


def summed_cross_entropy(logits: Tensor, target: Tensor, boundary: float = 0.0) -> Tensor:
    """Return the mean binary cross-entropy of each map (N, C, H, W), summed over the maps.

    `target` (N, H, W) uint8 may be soft; 128 doesn't count. `boundary` as in
    `segmentation_losses`.
    """
    weight = (target != UNKNOWN).float()
    truth = target.float() / SUBJECT
    if boundary:
        weight = weight * (1 + boundary * _edge_band((truth >= 0.5).float()))
    wanted = truth[:, None].expand_as(logits)
    each = F.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
    return (each * weight[:, None]).sum() / weight.sum().clamp(min=1)


def focal_loss(logits: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """Return the mean binary cross-entropy, each pixel's times how wrong its probability is.

    All are (N, H, W); `truth` and `counts`, which pixels count, are bool.

    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, with γ = 1.
    """
    each = F.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")
    wrong = 1 - torch.exp(-each)
    inside = counts.float()
    return (each * wrong * inside).sum() / inside.sum().clamp(min=1)


def absolute_loss(found: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the mean absolute difference over a region (1 inside, 0 outside), all (N, C, H, W)."""
    inside = region.expand_as(found)
    return ((found - truth).abs() * inside).sum() / inside.sum().clamp(min=1)


def laplacian_loss(found: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the L1 difference of two mattes' Laplacian pyramids, over the region's size.

    Coarse levels count more.

    X. Hou, F. Liu, "Context-Aware Image Matting for Simultaneous Foreground and Alpha Estimation",
    ICCV 2019, equation 3. `found` and `truth` (N, 1, H, W) are equal outside the region.
    """
    rest = (found - truth) * region  # both pyramids are linear
    total = rest.new_zeros(())
    for scale in range(PYRAMID_LEVELS):
        if min(rest.shape[2:]) < 2:
            break
        coarse = F.avg_pool2d(rest, 2)
        fine = rest - F.interpolate(
            coarse, size=rest.shape[2:], mode="bilinear", align_corners=False
        )
        total = total + 2.0**scale * fine.abs().sum()
        rest = coarse
    return total / region.sum().clamp(min=1)


def gradient_loss(found: Tensor, truth: Tensor, region: Tensor) -> Tensor:
    """Return the mean absolute difference of two mattes' gradients in a region, (N, 1, H, W)."""
    apart = (found - truth) * region
    across = (apart[:, :, :, 1:] - apart[:, :, :, :-1]).abs().sum()
    down = (apart[:, :, 1:] - apart[:, :, :-1]).abs().sum()
    return (across + down) / region.sum().clamp(min=1)


def _edge_band(target: Tensor) -> Tensor:
    """Return 1 within two pixels of the edge of a target (N, H, W) of 0 and 1, else 0."""
    wide = F.max_pool2d(target[:, None], 5, stride=1, padding=2)
    narrow = -F.max_pool2d(-target[:, None], 5, stride=1, padding=2)
    return (wide - narrow)[:, 0]
