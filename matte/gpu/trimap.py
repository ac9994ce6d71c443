"""Masks, trimaps and how far a refiner is believed, on a device; what stands for what is told by
the numpy line's own modules.
"""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.errors import SettingError
from matte.gpu.planes import (
    box_mean,
    distance_to,
    grown,
    grown_square,
    scaled,
    scaled_levels,
    touching,
)
from matte.refiner.confidence_limits import (
    CLOUD_GAIN,
    GREY_DISTANCE,
    MIN_CLOUD_CELLS,
    MIN_CLOUD_SHARE,
    MIN_GREY_SHARE,
    SURE_DISTANCE,
)
from matte.trimap.morphology import KERNEL_SHAPES
from matte.trimap.reach import (
    CONFIDENCE_CELL_SHARE,
    DOUBT_LEVELS,
    EVEN_CELL_SHARE,
    MAX_UNKNOWN_SHARE,
    MAX_UNSURE_PER_EDGE_PIXEL,
    Reach,
    cell_side,
    reach_of,
)

CLEANED = ("keep_parts", "fill_holes", "open_mask", "close_mask", "smooth_mask")


def refuse_cleaning(settings: SegmentationSettings) -> None:
    """Masks are cut at the threshold, and not cleaned, on a device."""
    for name in CLEANED:
        if getattr(settings, name):
            raise SettingError(f"{name} can't be had on the device path", "leave it out")


def draw_band(mask: Tensor, confidence: Tensor, settings: TrimapSettings) -> tuple[Tensor, Tensor]:
    """Trimaps (N, 1, H, W) uint8 for masks, True where the subject is; and which of them the
    segmenter's doubt drew, (N,).
    """
    by_doubt = torch.zeros(len(mask), dtype=torch.bool, device=mask.device)
    if settings.width:
        return even_band(mask, settings.width.pixels(max(mask.shape[2:]))), by_doubt
    if settings.k != "auto":
        return kernel_band(mask, settings), by_doubt
    # Reach and cells depend on the picture: one after the other.
    drawn = [_doubtful(m[None], c[None]) for m, c in zip(mask, confidence, strict=True)]
    trimaps, doubtful = zip(*drawn, strict=True)
    return torch.cat(trimaps), torch.tensor(doubtful, device=mask.device)


def kernel_band(mask: Tensor, settings: TrimapSettings) -> Tensor:
    """Unknown between the eroded and the dilated mask."""
    assert isinstance(settings.k, int)
    inwards, outwards = settings.repetitions
    side = (settings.k, settings.k)
    kernel = np.asarray(cv2.getStructuringElement(KERNEL_SHAPES[settings.shape], side), np.uint8)
    eroded, dilated = ~grown(~mask, kernel, inwards), grown(mask, kernel, outwards)
    unknown = torch.full_like(mask, UNKNOWN, dtype=torch.uint8)
    return unknown.masked_fill(eroded, SUBJECT).masked_fill(~dilated, BACKGROUND)


def even_band(mask: Tensor, reach: float) -> Tensor:
    """Unknown up to `reach` pixels to both sides of the mask's edge."""
    cell = cell_side(reach * EVEN_CELL_SHARE)
    return _trimap(mask, _to_edge(_shrunk(mask, cell), cell, reach) - reach)


def _doubtful(mask: Tensor, confidence: Tensor) -> tuple[Tensor, bool]:
    """One frame's trimap, as wide as the segmenter is unsure, if it tells its doubts."""
    around = reach_of(int(torch.count_nonzero(mask)), max(mask.shape[2:]))
    if not _tells_doubt(mask, confidence):
        return even_band(mask, around.far), False
    return _trimap(mask, _beyond(mask, confidence, around)), True


def _beyond(mask: Tensor, confidence: Tensor, reach: Reach) -> Tensor:
    """How far each cell lies beyond the band; at most 0 in it."""
    cell = cell_side(reach.near * CONFIDENCE_CELL_SHARE)
    share = _shrunk(mask, cell)
    size = (share.shape[2], share.shape[3])
    # Sampled, not averaged: as the line in numpy does.
    belief = torch.nn.functional.interpolate(confidence, size, mode="bilinear", align_corners=False)
    near = _to_edge(share, cell, reach.near) - reach.near
    beyond = near
    for doubt in DOUBT_LEVELS:
        unsure = (belief > doubt) & (belief < 1 - doubt) & touching(share > 0, belief > doubt)
        unsure_far = _pixels(distance_to(unsure, _cells(reach.far, cell)), cell)
        beyond = torch.minimum(near, unsure_far - reach.far)
        if torch.count_nonzero(beyond <= 0) <= MAX_UNKNOWN_SHARE * beyond.numel():
            break
    return beyond


def _tells_doubt(mask: Tensor, confidence: Tensor) -> bool:
    unsure = (confidence > DOUBT_LEVELS[0]) & (confidence < 1 - DOUBT_LEVELS[0])
    edge = mask & grown_square(~mask, 1)
    return bool(torch.count_nonzero(unsure) > MAX_UNSURE_PER_EDGE_PIXEL * torch.count_nonzero(edge))


def _shrunk(mask: Tensor, cell: int) -> Tensor:
    """The mask's mean in each cell, 0 … 255: 0 and 255 only where all of it is."""
    height, width = (-(-length // cell) for length in mask.shape[2:])
    return scaled_levels(mask.float() * SUBJECT, height, width)


def _to_edge(share: Tensor, cell: int, reach: float) -> Tensor:
    """How far each cell is from the other side of the mask's edge; in pixels."""
    cells = _cells(reach, cell)
    ground, subject = share < SUBJECT, share > BACKGROUND
    inside, outside = distance_to(ground, cells), distance_to(subject, cells)
    return torch.maximum(_pixels(inside, cell), _pixels(outside, cell))


def _cells(reach: float, cell: int) -> int:
    """How many cells around must be looked at for what lies within `reach` pixels."""
    return math.ceil(reach / cell) + 2


def _pixels(cells: Tensor, cell: int) -> Tensor:
    return cells if cell == 1 else (cells - 0.5).clamp(min=0) * cell


def _trimap(mask: Tensor, beyond: Tensor) -> Tensor:
    height, width = mask.shape[2:]
    certain = mask.to(torch.uint8) * SUBJECT
    return certain.masked_fill(scaled(beyond, height, width) <= 0, UNKNOWN)


def believed(alpha: Tensor, unknown: Tensor, confidence: Tensor, threshold: float) -> Tensor:
    """Alpha as far as the segmenter leaves room for it, in the unknown pixels: what
    `matte.refiner.confidence_limits` says, for frames (N, 1, H, W).
    """
    told = (confidence > 0) & (confidence < 1) & unknown
    soft = told.flatten(1).any(dim=1).view(-1, 1, 1, 1)  # else it is a mask, and tells nothing
    below, above = confidence / (2 * threshold), 1 - (1 - confidence) / (2 * (1 - threshold))
    c = torch.where(confidence < threshold, below, above)
    limited = torch.minimum(torch.maximum(alpha, 2 * c - 1), 2 * c)
    weight = (torch.minimum(c, 1 - c) / SURE_DISTANCE).clamp(0, 1)
    mixed = weight * limited + (1 - weight) * (c >= 0.5)
    grey = unknown & (mixed > GREY_DISTANCE) & (mixed < 1 - GREY_DISTANCE)
    decided = (mixed + CLOUD_GAIN * (c - 0.5)).clamp(0, 1)
    found = mixed + _clouds(grey) * (decided - mixed)
    return torch.where(unknown & soft, found, alpha)


def _clouds(grey: Tensor) -> Tensor:
    """1 where grey is thick and around it, then falling to 0."""
    height, width = grey.shape[2:]
    radius = MIN_CLOUD_SHARE * max(height, width)
    cell = max(1, int(radius / MIN_CLOUD_CELLS))
    cells = scaled_levels(grey.float() * 255, -(-height // cell), -(-width // cell))
    full = cells >= MIN_GREY_SHARE * 255
    reach = max(1, round(radius / cell))
    side = 2 * reach + 1
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    opened = grown(~grown(~full, disc), disc)
    thick = grown(opened, disc).float()
    return scaled(box_mean(thick, max(1, reach // 2)), height, width)
