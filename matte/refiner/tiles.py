"""A large picture in parts: a small copy settles most of the band, tiles refine what it leaves.

Where a network is sure of a small copy's alpha, away from edges, full size would add nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.imaging.scaling import scaled

SIDE = 160  # of a tile, in pixels
CONTEXT = 8  # of them at each border are seen besides, and blended with the neighbour's
TOGETHER = 8  # tiles that go through the network at once
SMALL = 640  # long side of the small copy; of large pictures it is
SHRINK = 3  # at most so many times smaller
LEFT = 0.6  # of the tiles remain after a look at the small copy: 0.6 … 0.63 of three portraits
ATTENTION = 0.38  # megapixels of network per square megapixel of a whole picture: costs of gca-slim
SURE = 0.05  # alpha nearer than this to 0 or 1 is settled
STEP = 0.2  # of alpha between neighbours: an edge
GROWN = 2  # pixels of the small copy around what is not settled

# Alpha of pictures and their trimaps, all of one shape, given the share of unknown in the whole.
Run = Callable[[Sequence[Image], Sequence[Trimap], float], Sequence[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a picture is refined: whole, or in tiles, after a small copy of `small` or without."""

    whole: bool = False
    small: tuple[int, int] | None = None


WHOLE = Plan(whole=True)


def plan(trimap: Trimap, side: int = SIDE) -> Plan:
    """The way that takes the network the fewest pixels."""
    height, width = trimap.shape
    if min(height, width) < side:
        return WHOLE  # there is no tile in it
    longest = max(height, width)
    tiles = len(places(trimap == UNKNOWN, side)) * side * side / 1e6
    ways = {WHOLE: _cost(trimap.size), Plan(): tiles}
    if longest > SMALL:
        scale = max(SMALL, longest / SHRINK) / longest
        small = max(1, round(height * scale)), max(1, round(width * scale))
        ways[Plan(small=small)] = _cost(small[0] * small[1]) + LEFT * tiles
    return min(ways, key=ways.__getitem__)


def _cost(pixels: int) -> float:
    mega = pixels / 1e6
    return mega + ATTENTION * mega**2


def smaller(image: Image, trimap: Trimap, height: int, width: int) -> tuple[Image, Trimap]:
    """Both at height × width; where any pixel was unknown, the small trimap is."""
    level = scaled(trimap, height, width)
    unknown = (level > BACKGROUND) & (level < SUBJECT)
    levels = np.where(unknown, UNKNOWN, level).astype(np.uint8)
    return Image(scaled(image, height, width)), Trimap(levels)


def settled(trimap: Trimap, small: Alpha) -> Trimap:
    """The trimap with what a small copy's alpha is sure of: unknown only around soft alpha and
    edges.
    """
    soft = (small > SURE) & (small < 1 - SURE)
    square = np.ones((3, 3), np.uint8)
    soft |= (cv2.dilate(small, square) - cv2.erode(small, square)) > STEP
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GROWN + 1, 2 * GROWN + 1))
    # Unknown, subject or background at the copy's size, then at full size.
    told = np.where(small > 0.5, SUBJECT, BACKGROUND).astype(np.uint8)
    told[cv2.dilate(soft.astype(np.uint8), disc) > 0] = UNKNOWN
    height, width = trimap.shape
    large = cv2.resize(told, (width, height), interpolation=cv2.INTER_NEAREST)
    return Trimap(np.where(trimap == UNKNOWN, large, trimap).astype(np.uint8))


def places(unknown: NDArray[np.bool_], side: int) -> list[tuple[int, int]]:
    """The upper left corners of tiles whose inner parts cover all that is unknown."""
    height, width = unknown.shape
    core = side - 2 * CONTEXT
    found, y = [], 0
    rows = np.flatnonzero(unknown.any(axis=1))
    while (rows := rows[rows >= y]).size:
        top = int(rows[0])
        y = top + core
        columns = np.flatnonzero(unknown[top:y].any(axis=0))
        x = 0
        while (columns := columns[columns >= x]).size:
            left = int(columns[0])
            x = left + core
            found.append((_inside(top, side, height), _inside(left, side, width)))
    return found


def _inside(start: int, side: int, length: int) -> int:
    return max(0, min(start - CONTEXT, length - side))


def refine_tiles(
    image: Image, trimap: Trimap, ratio: float, run: Run, side: int = SIDE
) -> NDArray[np.float32]:
    """Alpha where the trimap is unknown, from overlapping tiles; elsewhere anything.

    Height and width are at least a tile's.
    """
    alpha = np.zeros(trimap.shape, np.float32)
    weight = np.zeros(trimap.shape, np.float32)
    near = np.minimum(np.arange(side), np.arange(side)[::-1]) + 1
    ramp = np.minimum(near / CONTEXT, 1).astype(np.float32)
    window = ramp[:, None] * ramp
    corners = places(trimap == UNKNOWN, side)
    for start in range(0, len(corners), TOGETHER):
        parts = [
            (slice(y, y + side), slice(x, x + side)) for y, x in corners[start : start + TOGETHER]
        ]
        pictures = [Image(image[part]) for part in parts]
        trimaps = [Trimap(trimap[part]) for part in parts]
        for part, found in zip(parts, run(pictures, trimaps, ratio), strict=True):
            alpha[part] += window * found
            weight[part] += window
    return np.divide(alpha, weight, out=alpha, where=weight > 0)
