"""How a large picture is best refined: whole, in tiles, or as a small copy and then in tiles.

A small copy settles what it is sure of, and what shows no more at full size; tiles refine the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.imaging.resizing import resize
from matte.imaging.strips import strip_slices
from matte.refiner.detail import Cells, detailed
from matte.refiner.protocols import WIDEST
from matte.refiner.tiles import CONTEXT, WIDE, Task, Tiling, places

SMALL = 640  # long side below which no copy is made; copies are
SHRINK = 3  # at most so many times smaller than what they are copies of
FAVOUR = 1.15  # times what tiles take, a copy of a third may: it sees soft pictures better
LEFT = 0.8  # of the tiles with detail are left by the copy: .56 … .98 of nine large pictures
ATTENTION = 0.38  # megapixels of network per square megapixel of a whole picture: costs of gca-slim
SURE = 0.05  # alpha nearer than this to 0 or 1 is settled
STEP = 0.2  # of alpha between neighbours: an edge
GROWN = 1  # cell around what is not settled
ENDLESS = 1 << 62  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A picture and its trimap made smaller, how they are refined, and where the large picture
    shows more than they do.
    """

    image: Image
    trimap: Trimap
    plan: "Plan"
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a picture is refined: whole, if there is no tiling, or in tiles, maybe after a copy.

    `costs` are megapixels that the network would see, of all the ways that were weighed: none if
    the way was asked for.
    """

    tiling: Tiling | None = None
    copy: Copy | None = None
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def way(self) -> str:
        """Its name."""
        return WHOLE if self.tiling is None else COPY if self.copy else TILES

    def told(self) -> dict[str, Any]:
        """What was chosen and why, for reports."""
        copy = self.copy
        costs = {name: round(cost, 3) for name, cost in self.costs.items()}
        why = "the least for the network to see" if costs else "as asked"
        if costs and costs[self.way] > min(costs.values()):
            why = "hardly more for the network to see, and soft edges from farther away"
        report: dict[str, Any] = {"way": self.way, "why": why, "megapixels": costs}
        if self.tiling is not None:
            report["side"] = self.tiling.side
        if copy is not None:
            height, width = copy.trimap.shape
            report["copy"] = {"width": width, "height": height, **copy.plan.told()}
        return report


WHOLE, TILES, COPY = "whole", "tiles", "copy and tiles"


def cheapest(image: Image, trimap: Trimap, attention: bool = True, seen: int = ENDLESS) -> Plan:
    """The way that takes the network the fewest pixels, or hardly more; of one with attention, or
    without. It may see so many at once.
    """
    height, width = trimap.shape
    large = max(height, width) >= SHRINK * SMALL
    tiling = Tiling(context=WIDE if large else CONTEXT)
    costs = {WHOLE: whole_cost(trimap.size, attention)}
    if min(height, width) < tiling.side:
        return Plan(costs=costs)  # there is no tile in it
    if not fits(trimap, seen):
        del costs[WHOLE]
    costs[TILES] = _tiles_cost(Task(trimap), tiling)
    copy = _copy(image, trimap, attention, seen) if max(height, width) > SMALL else None
    if copy is not None:
        detail = _tiles_cost(Task(trimap, copy.cells), tiling)
        costs[COPY] = copy.plan.costs[copy.plan.way] + LEFT * detail
    favour = FAVOUR if large else 1.0
    way = min(costs, key=lambda name: costs[name] / (favour if name == COPY else 1.0))
    return Plan(None if way == WHOLE else tiling, copy if way == COPY else None, costs)


def _copy(image: Image, trimap: Trimap, attention: bool, seen: int) -> Copy | None:
    height, width = trimap.shape
    longest = max(height, width)
    scale = max(SMALL, longest / SHRINK) / longest
    less = smaller(image, trimap, max(1, round(height * scale)), max(1, round(width * scale)))
    plan = cheapest(*less, attention, seen)
    if plan.tiling is None and not fits(less[1], seen):
        return None  # too low for a tile
    return Copy(*less, plan, detailed(image, trimap))


def fits(trimap: Trimap, seen: int) -> bool:
    """Whether a network that may see so many pixels at once may see all of it."""
    height, width = trimap.shape
    return bool((height + WIDEST) * (width + WIDEST) <= seen)


def whole_cost(pixels: int, attention: bool) -> float:
    """Megapixels of network that a whole picture comes to: attention grows with its square."""
    mega = pixels / 1e6
    return mega + ATTENTION * mega**2 * attention


def _tiles_cost(task: Task, tiling: Tiling) -> float:
    return len(places(task, tiling)) * tiling.side**2 / 1e6


def smaller(image: Image, trimap: Trimap, height: int, width: int) -> tuple[Image, Trimap]:
    """Both at height × width; where any pixel was unknown, the small trimap is."""
    level = resize(trimap, height, width)
    unknown = (level > BACKGROUND) & (level < SUBJECT)
    levels = np.where(unknown, UNKNOWN, level).astype(np.uint8)
    return Image(resize(image, height, width)), Trimap(levels)


def left(trimap: Trimap, copy: Copy, small: Alpha, large: Alpha) -> Task:
    """What tiles have still to refine, once the copy's alpha is known: `small`, and scaled up.

    Elsewhere the trimap that they see is known where alpha is sure.
    """
    cells = copy.cells & _doubtful(small, copy.cells.shape)
    task = Task(trimap, cells)
    seen = trimap.copy()
    for rows in strip_slices(*trimap.shape):
        unknown, alpha = trimap[rows] == UNKNOWN, large[rows]
        done = unknown & ~task.within(rows)
        part = seen[rows]
        part[done & (alpha <= SURE)] = BACKGROUND
        part[done & (alpha >= 1 - SURE)] = SUBJECT
    return Task(seen, cells)


def _doubtful(small: Alpha, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The large picture's cells around soft alpha and edges of the small one."""
    soft = (small > SURE) & (small < 1 - SURE)
    square = np.ones((3, 3), np.uint8)
    soft |= (cv2.dilate(small, square) - cv2.erode(small, square)) > STEP
    height, width = shape
    cells = cv2.resize(soft.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GROWN + 1, 2 * GROWN + 1))
    return np.asarray(cv2.dilate((cells > 0).astype(np.uint8), disc) > 0)
