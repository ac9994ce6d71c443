"""Unknown bands: of one width, wide where the segmenter is unsure, or as it has learnt them."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import (
    BACKGROUND,
    SUBJECT,
    UNKNOWN,
    BoolArray,
    Confidence,
    FloatArray,
    Mask,
    Trimap,
)
from matte.imaging.resizing import resize
from matte.imaging.strips import EnlargedColumns, strip_slices

# Measured on portraits with true alpha: docs/decisions/0013.
# A confidence that is farther than this from 0 and 1 is unsure; the levels are tried in turn.
DOUBT_LEVELS = (0.08, 0.12, 0.18, 0.25, 0.33, 0.42)
# A place is in the learned band from this probability on; the levels are tried in turn.
BAND_LEVELS = (0.2, 0.3, 0.45, 0.6, 0.8)
MAX_DRAWN_UNKNOWN_SHARE = 0.25  # of a picture, before the next doubt level is tried
# The band's reach at clean edges and around unsure places: shares of the picture's long side and of
# the subject's side, of which the smaller counts.
NEAR_SHARES = (0.005, 0.01)
FAR_SHARES = (0.02, 0.04)
MIN_REACH_PIXELS, MIN_REACH_SHARE = 2.0, 0.001  # of the long side; the larger counts
MAX_UNSURE_PER_EDGE_PIXEL = 1.8  # up to here a mask was drawn by hand, not estimated
# A cell's side, as part of the reach: distances are measured between cells, not pixels.
EVEN_CELL_SHARE, CONFIDENCE_CELL_SHARE = 1 / 16, 1 / 2
MAX_CELL_SIDE = 16  # pixels: a single pixel of 256 still shows in a cell's mean
NO_DISTANCE = np.float32(1e6)  # pixels, where there is nothing to measure to


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the band reaches, in pixels: at clean edges, and around unsure places."""

    near: float
    far: float


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceBand:
    """A trimap, and the smallest doubt from which a place counted as unsure."""

    trimap: Trimap
    min_doubt: float


@dataclass(frozen=True, slots=True, eq=False)
class LearnedBand:
    """A trimap, and the smallest probability from which a place counted as unknown."""

    trimap: Trimap
    min_probability: float


def even_band(mask: Mask, reach: float) -> Trimap:
    """Return the mask, unknown up to `reach` pixels to both sides of its edge."""
    cell = cell_side(reach * EVEN_CELL_SHARE)
    return _trimap_from_distance(
        mask, _edge_distance(_cell_means(mask, cell), cell) - np.float32(reach)
    )


def confidence_band(mask: Mask, confidence: Confidence, reach: Reach) -> ConfidenceBand:
    """Return the mask, unknown near its edge and around the places where the segmenter is unsure.

    That is within `reach.near` of the edge, and up to `reach.far` around every unsure place that is
    connected with the subject. Where this is too much of the picture, only greater doubts count:
    what such a segmenter is a little unsure of, the refiner knows still less about.
    """
    cell = cell_side(reach.near * CONFIDENCE_CELL_SHARE)
    share = _cell_means(mask, cell)
    height, width = share.shape
    # Sampled, not averaged: confidence has no more detail than a network's size has.
    small = cv2.resize(confidence, (width, height)) if cell > 1 else confidence
    near = _edge_distance(share, cell) - np.float32(reach.near)
    beyond, chosen = near, DOUBT_LEVELS[-1]
    for doubt in DOUBT_LEVELS:
        unsure = (small > doubt) & (small < 1 - doubt) & _connected_region(share > 0, small > doubt)
        beyond = np.minimum(near, _region_distance(unsure, cell) - np.float32(reach.far))
        if np.count_nonzero(beyond <= 0) <= MAX_DRAWN_UNKNOWN_SHARE * beyond.size:
            chosen = doubt
            break
    return ConfidenceBand(_trimap_from_distance(mask, beyond), chosen)


def learned_band(mask: Mask, unknown: FloatArray, reach: Reach) -> LearnedBand:
    """Return the mask, unknown near its edge and where the segmenter has learnt that it is soft.

    That is within `reach.near` of the edge, and where `unknown`, of any size, is likely and
    connected with the subject. Where this is too much of the picture, only what is more likely
    counts.
    """
    cell = cell_side(reach.near * CONFIDENCE_CELL_SHARE)
    share = _cell_means(mask, cell)
    likely = resize(unknown, *share.shape)
    near = _edge_distance(share, cell) - np.float32(reach.near)
    for level in BAND_LEVELS:
        soft = _connected_region(share > 0, likely > level) & (likely > level)
        beyond = np.where(soft, np.minimum(near, -cell), near)
        if np.count_nonzero(beyond <= 0) <= MAX_DRAWN_UNKNOWN_SHARE * beyond.size:
            break
    return LearnedBand(_trimap_from_distance(mask, beyond), level)


def reach_for(mask: Mask) -> Reach:
    """Return how far the band should reach around this mask."""
    return reach_of(int(np.count_nonzero(mask)), max(mask.shape))


def reach_of(pixels: int, long_side: int) -> Reach:
    """Return how far the band should reach around a subject of so many pixels.

    What is enough for hair grows with the picture and with the subject.
    """
    side = math.sqrt(pixels)
    least = max(MIN_REACH_PIXELS, MIN_REACH_SHARE * long_side)
    near, far = (max(least, min(p * long_side, s * side)) for p, s in (NEAR_SHARES, FAR_SHARES))
    return Reach(round(near, 1), round(far, 1))


def has_soft_edge(mask: Mask, confidence: Confidence) -> bool:
    """Return whether the confidence shows where it is unsure, as a drawn mask does not."""
    parts = (confidence[rows] for rows in strip_slices(*confidence.shape))
    unsure = sum(np.count_nonzero((c > DOUBT_LEVELS[0]) & (c < 1 - DOUBT_LEVELS[0])) for c in parts)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    return bool(
        unsure > MAX_UNSURE_PER_EDGE_PIXEL * (np.count_nonzero(mask) - np.count_nonzero(inner))
    )


def cell_side(side: float) -> int:
    """Return the side of the cells between which distances are measured, in whole pixels."""
    return min(MAX_CELL_SIDE, max(1, int(side)))


def _cell_means(mask: Mask, cell: int) -> NDArray[np.uint8]:
    """Return the mask's mean in each cell: 0 and 255 only where the whole cell is."""
    height, width = (-(-length // cell) for length in mask.shape)
    if cell == 1:
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _connected_region(subject: BoolArray, maybe: BoolArray) -> BoolArray:
    """Return the subject, and what of `maybe` is connected with it."""
    count, labels = cv2.connectedComponents((subject | maybe).astype(np.uint8), connectivity=8)
    held = np.zeros(count, bool)
    held[np.unique(labels[subject])] = True
    held[0] = False
    return np.asarray(held[labels])


def _edge_distance(share: NDArray[np.uint8], cell: int) -> FloatArray:
    """Return how far each cell is from the other side of the mask's edge, in pixels."""
    inside, outside = share == SUBJECT, share == BACKGROUND
    return np.maximum(_region_distance(~inside, cell), _region_distance(~outside, cell))


def _region_distance(region: BoolArray, cell: int) -> FloatArray:
    """Return each cell's distance from the region in pixels, rather too small than too large."""
    if not region.any():
        return np.full(region.shape, NO_DISTANCE, np.float32)
    found = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5).astype(np.float32)
    return found if cell == 1 else np.maximum(found - np.float32(0.5), 0) * np.float32(cell)


def _trimap_from_distance(mask: Mask, beyond: FloatArray) -> Trimap:
    """Return the mask, unknown where `beyond`, measured in cells, is at most 0 at full size."""
    height, width = mask.shape
    trimap, far = mask.copy(), EnlargedColumns(beyond, height, width)
    for columns in strip_slices(width, height):
        np.copyto(trimap[:, columns], np.uint8(UNKNOWN), where=far[columns] <= 0)
    return Trimap(trimap)
