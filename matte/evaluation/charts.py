"""Charts of lines and of named points in panels, in the one style of all benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from matte.arrays import Image
from matte.evaluation.chart_pen import (
    FAINT,
    INK,
    OVERSAMPLING,
    PAPER,
    RULE,
    Colour,
    Pen,
    Point,
    Scale,
    round_ticks,
)
from matte.evaluation.chart_points import NamedPoint, draw_points

SHEET_WIDTH, MARGIN, GAP = 1600, 48, 56  # pixels
HEAD_HEIGHT, PLOT_HEIGHT = 130, 470  # above the panels, and of a panel's plot
LEFT, TITLE, LEGEND, FOOT = 84, 48, 30, 84  # room around the plot


@dataclass(frozen=True, slots=True)
class ChartLine:
    """Points by rising x. `stop`: what ended it, written in the legend."""

    name: str
    points: Sequence[Point]
    colour: Colour
    dashed: bool = False
    stop: str = ""


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """Lines and points on one pair of axes; `ticks` are the x that are marked.

    `y_range` is what the y axis shows; None: from 0, or from the lowest line, to the highest line.
    """

    title: str
    x: str
    y: str
    lines: Sequence[ChartLine]
    ticks: Sequence[float]
    logarithmic: tuple[bool, bool] = (True, True)
    points: Sequence[NamedPoint] = ()
    y_range: tuple[float, float] | None = None


def draw_charts(title: str, about: str, panels: Sequence[ChartPanel], columns: int = 2) -> Image:
    """Draw the panels, row by row, under a title; RGB."""
    rows = -(-len(panels) // columns)
    legends = max(len(_named_lines(panel)) for panel in panels) * LEGEND
    tall = TITLE + legends + PLOT_HEIGHT + FOOT
    wide = (SHEET_WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    sheet = Pillow.new(
        "RGB", (SHEET_WIDTH * OVERSAMPLING, (HEAD_HEIGHT + rows * tall + 12) * OVERSAMPLING), PAPER
    )
    pen = Pen(sheet)
    pen.text((MARGIN, 36), title, INK, 34)
    pen.text((MARGIN, 84), about, FAINT, 20)
    for number, panel in enumerate(panels):
        x = MARGIN + number % columns * (wide + GAP)
        _draw_panel(pen, panel, x, HEAD_HEIGHT + number // columns * tall, wide, legends)
    small = sheet.resize(
        (sheet.width // OVERSAMPLING, sheet.height // OVERSAMPLING), Pillow.Resampling.BOX
    )
    return Image(np.asarray(small))


def _named_lines(panel: ChartPanel) -> list[ChartLine]:
    return [line for line in panel.lines if line.name]


def _draw_panel(
    pen: Pen, panel: ChartPanel, x: float, y: float, wide: float, legends: float
) -> None:
    pen.text((x, y + 8), panel.title, INK, 24)
    for row, line in enumerate(_named_lines(panel)):
        middle = y + TITLE + row * LEGEND + LEGEND / 2
        pen.line(((x + 2, middle), (x + 50, middle)), line.colour, 3, line.dashed)
        pen.dot((x + 26, middle), line.colour, not line.dashed)
        label = f"{line.name}: {line.stop}" if line.stop else line.name
        pen.text((x + 62, middle), label, INK, 18, "lm")
    top = y + TITLE + legends + 14
    bottom, right = top + PLOT_HEIGHT - 14, x + wide
    across, up = _scales(panel, x + LEFT, right - 16, top, bottom)
    for value in panel.ticks:
        pen.line(((across(value), top), (across(value), bottom)), RULE, 1.5, False)
        pen.text((across(value), bottom + 10), _number_text(value), FAINT, 18, "ma")
    for value in round_ticks(up.low, up.high, up.logarithmic):
        if up(value) < top + LEGEND:
            continue  # the unit is written there
        pen.line(((x + LEFT, up(value)), (right, up(value))), RULE, 1.5, False)
        pen.text((x + LEFT - 12, up(value)), _number_text(value), FAINT, 18, "rm")
    pen.text(((x + LEFT + right) / 2, bottom + 38), panel.x, INK, 18, "ma")
    pen.text((x + LEFT + 10, top + 6), panel.y, INK, 18)
    for line in panel.lines:
        course = [(across(a), up(b)) for a, b in line.points]
        pen.line(course, line.colour, 3, line.dashed)
        for at in course:
            pen.dot(at, line.colour, not line.dashed)
        if line.stop and course:
            pen.cross((course[-1][0] + 20, course[-1][1] - 12), line.colour)

    draw_points(pen, panel.points, (across, up), (x + LEFT, top + LEGEND, right, bottom))


def _scales(
    panel: ChartPanel, left: float, right: float, top: float, bottom: float
) -> tuple[Scale, Scale]:
    """Return the scales of the axes, with a little room, so that no unit stands over a line."""
    ys = [value for line in panel.lines for _, value in line.points] or [1.0]
    by_x, by_y = panel.logarithmic
    low, high = (min(ys) / 1.3, max(ys) * 2.2) if by_y else (0.0, max(ys) * 1.18)
    low, high = panel.y_range or (low, high)
    xs = [*panel.ticks, *(point.x for point in panel.points)]
    across = Scale(min(xs), max(xs), left + 16, right, by_x)
    return across, Scale(low, high, bottom, top, by_y)


def _number_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
