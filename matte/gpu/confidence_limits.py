"""The segmenter's confidence as a limit on the refiner's alpha, on a device.

The same as `matte.refiner.confidence_limits`, which explains it, and from which the constants come.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from matte.gpu.planes import box_mean, dilate, resize, resize_levels
from matte.refiner.confidence_limits import (
    CLOUD_GAIN,
    GREY_DISTANCE,
    MIN_CLOUD_CELLS,
    MIN_CLOUD_SHARE,
    MIN_GREY_SHARE,
    SURE_DISTANCE,
)


def limit_by_confidence(
    alpha: Tensor, unknown: Tensor, confidence: Tensor, threshold: float
) -> Tensor:
    """Return alpha, limited in the unknown pixels to what the segmenter's confidence allows.

    All are (N, 1, H, W). A confidence of 0 and 1 only is a mask, and leaves alpha as it is.
    """
    doubtful = (confidence > 0) & (confidence < 1) & unknown
    has_doubt = doubtful.flatten(1).any(dim=1).view(-1, 1, 1, 1)
    below, above = confidence / (2 * threshold), 1 - (1 - confidence) / (2 * (1 - threshold))
    c = torch.where(confidence < threshold, below, above)
    limited = torch.minimum(torch.maximum(alpha, 2 * c - 1), 2 * c)
    weight = (torch.minimum(c, 1 - c) / SURE_DISTANCE).clamp(0, 1)
    blended = weight * limited + (1 - weight) * (c >= 0.5)
    grey = unknown & (blended > GREY_DISTANCE) & (blended < 1 - GREY_DISTANCE)
    decided = (blended + CLOUD_GAIN * (c - 0.5)).clamp(0, 1)
    decided_in_clouds = blended + _cloud_weights(grey) * (decided - blended)
    return torch.where(unknown & has_doubt, decided_in_clouds, alpha)


def _cloud_weights(grey: Tensor) -> Tensor:
    """Return a weight for each pixel: 1 in and around large grey areas, else 0."""
    height, width = grey.shape[2:]
    radius = MIN_CLOUD_SHARE * max(height, width)
    cell = max(1, int(radius / MIN_CLOUD_CELLS))
    cells = resize_levels(grey.float() * 255, -(-height // cell), -(-width // cell))
    full = cells >= MIN_GREY_SHARE * 255
    reach = max(1, round(radius / cell))
    side = 2 * reach + 1
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    opened = dilate(~dilate(~full, disc), disc)
    thick = dilate(opened, disc).float()
    return resize(box_mean(thick, max(1, reach // 2)), height, width)
