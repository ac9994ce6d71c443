"""What training minimises."""

import torch
from torch.nn import functional as F

from matte.arrays import SUBJECT, UNKNOWN


def segmentation_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy plus Dice over the pixels whose label isn't 128.

    `logits` (N, 1, H, W); `label` (N, H, W) uint8: 0, 128 or 255. Dice is taken over the whole
    batch: taken per picture, a handful of wrong pixels in a picture without a subject would cost
    as much as missing a whole subject.
    """
    logits = logits[:, 0].float()
    counts = (label != UNKNOWN).float()
    target = (label == SUBJECT).float()
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    cross_entropy = (each * counts).sum() / counts.sum().clamp(min=1)
    probability = logits.sigmoid() * counts
    overlap = (probability * target).sum()
    dice = 1 - (2 * overlap + 1) / (probability.sum() + (target * counts).sum() + 1)
    return cross_entropy + dice
