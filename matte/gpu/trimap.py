"""Trimaps drawn on a device, as `matte.trimap` draws them; the constants are that package's."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.configs.settings import TrimapSettings
from matte.gpu.planes import (
    connected_parts,
    dilate,
    dilate_by_square,
    distance_to,
    resize,
    resize_levels,
)
from matte.trimap.morphology import KERNEL_SHAPES
from matte.trimap.reach import (
    CONFIDENCE_CELL_SHARE,
    DOUBT_LEVELS,
    EVEN_CELL_SHARE,
    MAX_DRAWN_UNKNOWN_SHARE,
    MAX_UNSURE_PER_EDGE_PIXEL,
    Reach,
    cell_side,
    reach_of,
)


def draw_trimaps(
    mask: Tensor, confidence: Tensor, settings: TrimapSettings
) -> tuple[Tensor, Tensor]:
    """Return a trimap for each mask, and whether its unknown band follows the confidence.

    `mask` is (N, 1, H, W), True where the subject is; trimaps are uint8 of that shape. The second
    tensor, (N,), is True where the confidence has to limit alpha.
    """
    follows_confidence = torch.zeros(len(mask), dtype=torch.bool, device=mask.device)
    if settings.width:
        return even_band(mask, settings.width.pixels(max(mask.shape[2:]))), follows_confidence
    if not settings.is_automatic:
        return kernel_band(mask, settings), follows_confidence
    # Reach and cells depend on the picture: one after the other.
    drawn = [_draw_by_confidence(m[None], c[None]) for m, c in zip(mask, confidence, strict=True)]
    trimaps, followed = zip(*drawn, strict=True)
    return torch.cat(trimaps), torch.tensor(followed, device=mask.device)


def kernel_band(mask: Tensor, settings: TrimapSettings) -> Tensor:
    """Return masks (N, 1, H, W), unknown between the eroded and the dilated mask."""
    assert isinstance(settings.k, int)
    erosions, dilations = settings.repetitions
    side = (settings.k, settings.k)
    kernel = np.asarray(cv2.getStructuringElement(KERNEL_SHAPES[settings.shape], side), np.uint8)
    eroded, dilated = ~dilate(~mask, kernel, erosions), dilate(mask, kernel, dilations)
    unknown = torch.full_like(mask, UNKNOWN, dtype=torch.uint8)
    return unknown.masked_fill(eroded, SUBJECT).masked_fill(~dilated, BACKGROUND)


def even_band(mask: Tensor, reach: float) -> Tensor:
    """Return masks (N, 1, H, W), unknown up to `reach` pixels to both sides of their edges."""
    cell = cell_side(reach * EVEN_CELL_SHARE)
    beyond = _edge_distance(_cell_means(mask, cell), cell, reach) - reach
    return _trimap_from_distance(mask, beyond)


def _draw_by_confidence(mask: Tensor, confidence: Tensor) -> tuple[Tensor, bool]:
    """Return one frame's trimap, and whether its unknown band follows the confidence."""
    reach = reach_of(int(torch.count_nonzero(mask)), max(mask.shape[2:]))
    if not _has_soft_edge(mask, confidence):
        return even_band(mask, reach.far), False
    return _trimap_from_distance(mask, _confidence_distance(mask, confidence, reach)), True


def _confidence_distance(mask: Tensor, confidence: Tensor, reach: Reach) -> Tensor:
    """Return how many pixels each cell is beyond the band that follows the confidence."""
    cell = cell_side(reach.near * CONFIDENCE_CELL_SHARE)
    share = _cell_means(mask, cell)
    size = (share.shape[2], share.shape[3])
    # Sampled, not averaged: as the line in numpy does.
    small = torch.nn.functional.interpolate(confidence, size, mode="bilinear", align_corners=False)
    near = _edge_distance(share, cell, reach.near) - reach.near
    beyond = near
    for doubt in DOUBT_LEVELS:
        connected = connected_parts(share > 0, small > doubt)
        unsure = (small > doubt) & (small < 1 - doubt) & connected
        distance = _in_pixels(distance_to(unsure, _reach_in_cells(reach.far, cell)), cell)
        beyond = torch.minimum(near, distance - reach.far)
        if torch.count_nonzero(beyond <= 0) <= MAX_DRAWN_UNKNOWN_SHARE * beyond.numel():
            break
    return beyond


def _has_soft_edge(mask: Tensor, confidence: Tensor) -> bool:
    """Return whether the confidence shows where it is unsure, as a drawn mask does not."""
    unsure = (confidence > DOUBT_LEVELS[0]) & (confidence < 1 - DOUBT_LEVELS[0])
    edge = mask & dilate_by_square(~mask, 1)
    return bool(torch.count_nonzero(unsure) > MAX_UNSURE_PER_EDGE_PIXEL * torch.count_nonzero(edge))


def _cell_means(mask: Tensor, cell: int) -> Tensor:
    """Return the mask's mean in each cell, 0 … 255: 0 and 255 only where the whole cell is."""
    height, width = (-(-length // cell) for length in mask.shape[2:])
    return resize_levels(mask.float() * SUBJECT, height, width)


def _edge_distance(share: Tensor, cell: int, reach: float) -> Tensor:
    """Return how far each cell is from the other side of the mask's edge, in pixels."""
    cells = _reach_in_cells(reach, cell)
    background, subject = share < SUBJECT, share > BACKGROUND
    inside, outside = distance_to(background, cells), distance_to(subject, cells)
    return torch.maximum(_in_pixels(inside, cell), _in_pixels(outside, cell))


def _reach_in_cells(reach: float, cell: int) -> int:
    """Return how many cells around a cell can hold what is within `reach` pixels of it."""
    return math.ceil(reach / cell) + 2


def _in_pixels(cells: Tensor, cell: int) -> Tensor:
    """Return distances between cells in pixels, rather too small than too large."""
    return cells if cell == 1 else (cells - 0.5).clamp(min=0) * cell


def _trimap_from_distance(mask: Tensor, beyond: Tensor) -> Tensor:
    """Return the mask, unknown where `beyond`, measured in cells, is at most 0 at full size."""
    height, width = mask.shape[2:]
    certain = mask.to(torch.uint8) * SUBJECT
    return certain.masked_fill(resize(beyond, height, width) <= 0, UNKNOWN)
