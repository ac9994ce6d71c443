"""The plan by which a large picture is refined: whole, in tiles, or as a copy and then in tiles.

A small copy settles the pixels that it is sure of, and those where full size shows no more detail;
tiles refine the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, BoolArray, Image, Trimap
from matte.imaging.resizing import resize, scaled_size
from matte.imaging.strips import strip_slices
from matte.refiner.detail import Cells, detail_cells
from matte.refiner.protocols import MAX_PADDING
from matte.refiner.tiles import CONTEXT, SIDE, WIDE_CONTEXT, RefineTask, Tiling, tile_corners

MIN_COPIED_SIDE = 640  # pixels: pictures of a shorter long side get no copy, and copies are no less
MAX_SHRINK = 3  # times that a copy is smaller than its picture
COPY_ADVANTAGE = 1.15  # times the cost of tiles that a copy may have: it sees soft edges better
TILES_AFTER_COPY = 0.8  # of the tiles with detail remain: .56 … .98 of nine large pictures
ATTENTION_COST = 0.38  # megapixels per square megapixel of a whole picture: costs of gca-slim
SETTLED_DISTANCE = 0.05  # of alpha from 0 or 1, within which it is settled
MIN_EDGE_STEP = 0.2  # of alpha between neighbouring pixels of the copy
MARGIN_CELLS = 1  # around those that are not settled
NO_PIXEL_LIMIT = 1 << 62
# Pixels between an unknown pixel and the nearest known one up to which tiles see enough around it:
# on 15 pictures of hair and fur with bands of 250 pixels SAD was 2.4 times as much without a limit.
MAX_TILED_DEPTH = 40
DEPTH_STEP = 4  # pixels between those whose depth is measured


@dataclass(frozen=True, slots=True, eq=False)
class SmallerCopy:
    """A smaller copy of picture and trimap, with the plan to refine it.

    `cells` are those of the large picture that show more detail than the copy.
    """

    image: Image
    trimap: Trimap
    plan: "Plan"
    cells: Cells


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a picture is refined: as a whole if there is no tiling, or in tiles, maybe after a copy.

    `costs` are the megapixels that the network would see in each method that was compared; empty
    if the user named the method.
    """

    tiling: Tiling | None = None
    copy: SmallerCopy | None = None
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The name of the method in reports: whole, tiles, or copy and tiles."""
        return WHOLE if self.tiling is None else COPY if self.copy else TILES

    def report(self) -> dict[str, Any]:
        """Return the method and why it was chosen, in plain JSON values."""
        copy = self.copy
        costs = {name: round(cost, 3) for name, cost in self.costs.items()}
        why = "the least for the network to see" if costs else "as asked"
        if costs and costs[self.method] > min(costs.values()):
            why = "hardly more for the network to see, and soft edges from farther away"
        report: dict[str, Any] = {"way": self.method, "why": why, "megapixels": costs}
        if self.tiling is not None:
            report["side"] = self.tiling.side
        if copy is not None:
            height, width = copy.trimap.shape
            report["copy"] = {"width": width, "height": height, **copy.plan.report()}
        return report


WHOLE, TILES, COPY = "whole", "tiles", "copy and tiles"


def cheapest_plan(
    image: Image, trimap: Trimap, attention: bool = True, max_pixels: int = NO_PIXEL_LIMIT
) -> Plan:
    """Return the plan with the fewest pixels for the network, or hardly more.

    `attention` says whether the network has it; `max_pixels` is what it may see at once.
    """
    height, width = trimap.shape
    large = max(height, width) >= MAX_SHRINK * MIN_COPIED_SIDE
    tiling = Tiling(context=WIDE_CONTEXT if large else CONTEXT)
    costs = {WHOLE: whole_cost(trimap.size, attention)}
    if min(height, width) < tiling.side:
        return Plan(costs=costs)  # there is no tile in it
    if not fits(trimap, max_pixels):
        del costs[WHOLE]
    costs[TILES] = _tiles_cost(RefineTask(trimap), tiling)
    copy = None
    if max(height, width) > MIN_COPIED_SIDE:
        copy = _plan_copy(image, trimap, attention, max_pixels)
    if copy is not None:
        detail = _tiles_cost(RefineTask(trimap, copy.cells), tiling)
        costs[COPY] = copy.plan.costs[copy.plan.method] + TILES_AFTER_COPY * detail
    if len(costs) > 1 and is_too_deep_for_tiles(trimap):
        del costs[TILES]
    advantage = COPY_ADVANTAGE if large else 1.0
    method = min(costs, key=lambda name: costs[name] / (advantage if name == COPY else 1.0))
    return Plan(None if method == WHOLE else tiling, copy if method == COPY else None, costs)


def part_plan(image: Image, trimap: Trimap, copy_scale: float) -> Plan:
    """Return the plan for a part of a picture that was refined from a copy of that scale.

    A scale of 1 is that of tiles without a copy.
    """
    height, width = trimap.shape
    tiling = Tiling(context=WIDE_CONTEXT) if min(height, width) >= SIDE else None
    if copy_scale == 1 or tiling is None:
        return Plan(tiling)
    small = shrink(image, trimap, *scaled_size(trimap.shape, copy_scale))
    inner = Plan(Tiling() if min(small[1].shape) >= SIDE else None)
    return Plan(tiling, SmallerCopy(*small, inner, detail_cells(image, trimap)))


def _plan_copy(
    image: Image, trimap: Trimap, attention: bool, max_pixels: int
) -> SmallerCopy | None:
    """Return a copy at a third of the size and its own plan; None if the network can't see it."""
    height, width = trimap.shape
    longest = max(height, width)
    scale = max(MIN_COPIED_SIDE, longest / MAX_SHRINK) / longest
    small = shrink(image, trimap, *scaled_size(trimap.shape, scale))
    plan = cheapest_plan(*small, attention, max_pixels)
    if plan.tiling is None and not fits(small[1], max_pixels):
        return None  # too low for a tile
    return SmallerCopy(*small, plan, detail_cells(image, trimap))


def fits(trimap: Trimap, max_pixels: int) -> bool:
    """Return whether a network that may see so many pixels at once may see the whole picture."""
    height, width = trimap.shape
    return bool((height + MAX_PADDING) * (width + MAX_PADDING) <= max_pixels)


def is_too_deep_for_tiles(trimap: Trimap) -> bool:
    """Return whether tiles would see almost only unknown pixels somewhere, and had to guess there.

    It is measured on every fourth row and column.
    """
    unknown = (trimap[::DEPTH_STEP, ::DEPTH_STEP] == UNKNOWN).astype(np.uint8)
    depth = float(cv2.distanceTransform(unknown, cv2.DIST_L2, 3).max()) * DEPTH_STEP
    return depth > MAX_TILED_DEPTH


def whole_cost(pixels: int, attention: bool) -> float:
    """Return a whole picture's cost in megapixels: attention grows with the picture's square."""
    mega = pixels / 1e6
    return mega + ATTENTION_COST * mega**2 * attention


def _tiles_cost(task: RefineTask, tiling: Tiling) -> float:
    """Return the megapixels of all tiles."""
    return len(tile_corners(task, tiling)) * tiling.side**2 / 1e6


def shrink(image: Image, trimap: Trimap, height: int, width: int) -> tuple[Image, Trimap]:
    """Return image and trimap at height × width: unknown wherever one of the pixels was."""
    level = resize(trimap, height, width)
    unknown = (level > BACKGROUND) & (level < SUBJECT)
    levels = np.where(unknown, UNKNOWN, level).astype(np.uint8)
    return Image(resize(image, height, width)), Trimap(levels)


def remaining_task(
    trimap: Trimap, copy: SmallerCopy, copy_alpha: Alpha, enlarged_alpha: Alpha
) -> RefineTask:
    """Return the task for the tiles: the detailed cells that a smaller copy does not settle.

    `enlarged_alpha` is `copy_alpha` at the picture's size. In the task's trimap the pixels that the
    copy settles, as background or subject, are known.
    """
    cells = copy.cells & _unsettled_cells(copy_alpha, copy.cells.shape)
    task = RefineTask(trimap, cells)
    known = trimap.copy()
    for rows in strip_slices(*trimap.shape):
        unknown, alpha = trimap[rows] == UNKNOWN, enlarged_alpha[rows]
        done = unknown & ~task.pixels_in(rows)
        part = known[rows]
        part[done & (alpha <= SETTLED_DISTANCE)] = BACKGROUND
        part[done & (alpha >= 1 - SETTLED_DISTANCE)] = SUBJECT
    return RefineTask(known, cells)


def _unsettled_cells(small: Alpha, shape: tuple[int, ...]) -> BoolArray:
    """Return the large picture's cells around soft alpha and edges of the small one."""
    soft = (small > SETTLED_DISTANCE) & (small < 1 - SETTLED_DISTANCE)
    square = np.ones((3, 3), np.uint8)
    soft |= (cv2.dilate(small, square) - cv2.erode(small, square)) > MIN_EDGE_STEP
    height, width = shape
    cells = cv2.resize(soft.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    disc = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * MARGIN_CELLS + 1, 2 * MARGIN_CELLS + 1)
    )
    return np.asarray(cv2.dilate((cells > 0).astype(np.uint8), disc) > 0)
