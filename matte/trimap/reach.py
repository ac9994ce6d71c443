"""Bands by distance: of one width, or as wide as the segmenter is unsure."""

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
from matte.imaging.strips import EnlargedColumns, strip_slices

# Measured on portraits with true alpha: docs/decisions/0013.
DOUBTS = (0.08, 0.12, 0.18, 0.25, 0.33, 0.42)  # nearer than this to 0 or 1 the segmenter is sure
MOST = 0.25  # of a picture that may be unknown before a larger doubt is asked for
NEAR = (0.005, 0.01)  # the band's reach at clean edges: of the long side, of the subject's side
FAR = (0.02, 0.04)  # and around what is doubtful
LEAST = (2.0, 0.001)  # of both: pixels, of the long side
SHARP = 1.8  # unsure pixels on each of the edge's, up to which a mask is drawn, not estimated
# A cell's side, as part of the reach: distances are measured between cells, not pixels.
FINE, COARSE = 1 / 16, 1 / 2
LARGEST = 16  # pixels on a cell's side: one of 256 is still seen in its mean
FARTHEST = np.float32(1e6)  # from what is not there; pixels


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the band reaches, in pixels: at clean edges, and around what is doubtful."""

    near: float
    far: float


@dataclass(frozen=True, slots=True, eq=False)
class Doubtful:
    """A trimap, and from which doubt on a place counted as unsure."""

    trimap: Trimap
    doubt: float


def even_band(mask: Mask, reach: float) -> Trimap:
    """Unknown up to `reach` pixels to both sides of the mask's edge."""
    cell = cell_side(reach * FINE)
    return _trimap(mask, _to_edge(_shrunk(mask, cell), cell) - np.float32(reach))


def doubtful_band(mask: Mask, confidence: Confidence, reach: Reach) -> Doubtful:
    """Unknown within `reach.near` of the mask's edge, and up to `reach.far` around every place
    where the segmenter is unsure, as long as that place hangs together with the subject.

    Where that is too much of the picture, only greater doubts count: what such a segmenter is a
    little unsure of, the refiner knows still less about.
    """
    cell = cell_side(reach.near * COARSE)
    share = _shrunk(mask, cell)
    height, width = share.shape
    # Sampled, not averaged: confidence has no more detail than a network's size has.
    belief = cv2.resize(confidence, (width, height)) if cell > 1 else confidence
    near = _to_edge(share, cell) - np.float32(reach.near)
    beyond, chosen = near, DOUBTS[-1]
    for doubt in DOUBTS:
        unsure = (belief > doubt) & (belief < 1 - doubt) & _touching(share > 0, belief > doubt)
        beyond = np.minimum(near, _distance_to(unsure, cell) - np.float32(reach.far))
        if np.count_nonzero(beyond <= 0) <= MOST * beyond.size:
            chosen = doubt
            break
    return Doubtful(_trimap(mask, beyond), chosen)


def reach_for(mask: Mask) -> Reach:
    """How far the band should reach in this picture."""
    return reach_of(int(np.count_nonzero(mask)), max(mask.shape))


def reach_of(pixels: int, long_side: int) -> Reach:
    """The same for a subject of so many pixels: what is enough for hair grows with the picture and
    with the subject.
    """
    side = math.sqrt(pixels)
    least = max(LEAST[0], LEAST[1] * long_side)
    near, far = (max(least, min(p * long_side, s * side)) for p, s in (NEAR, FAR))
    return Reach(round(near, 1), round(far, 1))


def tells_doubt(mask: Mask, confidence: Confidence) -> bool:
    """Whether the confidence is more than a mask, smoothed at its edge or not at all."""
    parts = (confidence[rows] for rows in strip_slices(*confidence.shape))
    unsure = sum(np.count_nonzero((c > DOUBTS[0]) & (c < 1 - DOUBTS[0])) for c in parts)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    return bool(unsure > SHARP * (np.count_nonzero(mask) - np.count_nonzero(inner)))


def cell_side(side: float) -> int:
    """The side of the cells between which distances are measured, in whole pixels."""
    return min(LARGEST, max(1, int(side)))


def _shrunk(mask: Mask, cell: int) -> NDArray[np.uint8]:
    """The mask's mean in each cell: 0 and 255 only where all of it is."""
    height, width = (-(-length // cell) for length in mask.shape)
    if cell == 1:
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _touching(subject: BoolArray, maybe: BoolArray) -> BoolArray:
    """What might belong to the subject, and hangs together with it."""
    count, labels = cv2.connectedComponents((subject | maybe).astype(np.uint8), connectivity=8)
    held = np.zeros(count, bool)
    held[np.unique(labels[subject])] = True
    held[0] = False
    return np.asarray(held[labels])


def _to_edge(share: NDArray[np.uint8], cell: int) -> FloatArray:
    """How far each cell is from the other side of the mask's edge; in pixels."""
    inside, outside = share == SUBJECT, share == BACKGROUND
    return np.maximum(_distance_to(~inside, cell), _distance_to(~outside, cell))


def _distance_to(region: BoolArray, cell: int) -> FloatArray:
    """How far each cell is from the region's nearest, in pixels, rather less than too much."""
    if not region.any():
        return np.full(region.shape, FARTHEST, np.float32)
    found = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5).astype(np.float32)
    return found if cell == 1 else np.maximum(found - np.float32(0.5), 0) * np.float32(cell)


def _trimap(mask: Mask, beyond: FloatArray) -> Trimap:
    """The mask, unknown where what is measured in cells, brought to full size, is at most 0."""
    height, width = mask.shape
    trimap, far = mask.copy(), EnlargedColumns(beyond, height, width)
    for columns in strip_slices(width, height):
        np.copyto(trimap[:, columns], np.uint8(UNKNOWN), where=far[columns] <= 0)
    return Trimap(trimap)
