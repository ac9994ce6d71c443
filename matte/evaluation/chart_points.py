"""Points with their names beside them, in charts."""

from collections.abc import Sequence
from dataclasses import dataclass

from matte.evaluation.chart_pen import DOT, Colour, Pen, Point, Scale

LINE_HEIGHT, NAME_GAP, END_WIDTH = 20, 5, 8  # pixels: of a name; beside it; of a bar's ends
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class NamedPoint:
    """A point with its name beside it, and a bar from `low` to `high`, which y may be as well."""

    name: str
    x: float
    y: float
    low: float
    high: float
    colour: Colour


def draw_points(
    pen: Pen, points: Sequence[NamedPoint], scales: tuple[Scale, Scale], plot: Box
) -> None:
    """Draw named points into the box of a plot, the names where they cover none of the others."""
    across, up = scales
    places = [(across(point.x), up(point.y)) for point in points]
    covered = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in places]
    for point, (x, y) in zip(points, places, strict=True):
        ends = up(point.low), up(point.high)
        pen.line(((x, ends[0]), (x, ends[1])), point.colour, 1.5, False)
        for end in ends:
            across_bar = ((x - END_WIDTH / 2, end), (x + END_WIDTH / 2, end))
            pen.line(across_bar, point.colour, 1.5, False)
        pen.dot((x, y), point.colour, True)
    for point, at in zip(points, places, strict=True):
        boxes = _name_boxes(at, pen.width(point.name), up(point.low), up(point.high))
        box = next((box for box in boxes if _is_free(box, plot, covered)), boxes[0])
        covered.append(box)
        pen.text((box[0], box[1] + LINE_HEIGHT / 2), point.name, point.colour, anchor="lm")


def _name_boxes(at: Point, wide: float, low: float, high: float) -> list[Box]:
    """Return where a name of that width may stand: beside its point, or a bar's ends, or near."""
    x, y = at
    lefts = (x + DOT + NAME_GAP, x - DOT - NAME_GAP - wide)
    step = LINE_HEIGHT * 0.75
    middles = [y, y - step, y + step, high - step, low + step, y - 2 * step, y + 2 * step]
    half = LINE_HEIGHT / 2
    return [(left, m - half, left + wide, m + half) for m in middles for left in lefts]


def _is_free(box: Box, plot: Box, covered: Sequence[Box]) -> bool:
    """Return whether a box lies in the plot, and in none of the covered boxes."""
    left, top, right, bottom = box
    inside = plot[0] <= left and plot[1] <= top and right <= plot[2] and bottom <= plot[3]
    return inside and not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in covered
    )
