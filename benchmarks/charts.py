"""Charts of lines in panels, in the one style of all benchmarks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import Image

SHEET_WIDTH, MARGIN, GAP = 1600, 48, 56  # pixels
HEAD_HEIGHT, PLOT_HEIGHT = 130, 470  # above the panels, and of a panel's plot
LEFT, TITLE, LEGEND, FOOT = 84, 48, 30, 84  # room around the plot
OVERSAMPLING = 2  # how much larger everything is drawn, for smooth lines
PAPER, INK, FAINT, RULE = (255, 255, 255), (28, 30, 36), (112, 116, 124), (228, 230, 234)
BLUE, ORANGE, GREEN, PINK, RED, GREY = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (213, 94, 0),
    (150, 154, 160),
)  # Okabe and Ito's colours: distinct for colour-blind eyes, too
Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Points by rising x. `stop`: what ended it, written in the legend."""

    name: str
    points: Sequence[Point]
    colour: Colour
    dashed: bool = False
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines on one pair of axes; `ticks` are the x that are marked."""

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    ticks: Sequence[float]
    logarithmic: tuple[bool, bool] = (True, True)


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels, `start` … `end`."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(value)
        return self.start + (at - low) / ((high - low) or 1) * (self.end - self.start)


def draw_charts(title: str, about: str, panels: Sequence[Panel], columns: int = 2) -> Image:
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


class Pen:
    """Draws in pixels of the finished sheet."""

    def __init__(self, sheet: Pillow.Image) -> None:
        self._draw = ImageDraw.Draw(sheet)

    def text(
        self, at: Point, text: str, colour: Colour = INK, size: int = 18, anchor: str = "la"
    ) -> None:
        """Draw one line of text."""
        font = ImageFont.load_default(size * OVERSAMPLING)
        self._draw.text((at[0] * OVERSAMPLING, at[1] * OVERSAMPLING), text, colour, font, anchor)

    def line(self, points: Sequence[Point], colour: Colour, width: float, dashed: bool) -> None:
        """Draw a line through points."""
        for (x0, y0), (x1, y1) in pairwise(points):
            length = math.hypot(x1 - x0, y1 - y0)
            pieces = max(1, round(length / 7)) if dashed else 1
            for piece in range(0, pieces, 2 if dashed else 1):
                a, b = piece / pieces, (piece + 1) / pieces
                ends = [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (a, b)]
                fine = [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in ends]
                self._draw.line(fine, colour, round(width * OVERSAMPLING))

    def dot(self, at: Point, colour: Colour, filled: bool) -> None:
        """Draw a measured point."""
        x, y, r = at[0] * OVERSAMPLING, at[1] * OVERSAMPLING, 5 * OVERSAMPLING
        inner = colour if filled else PAPER
        self._draw.ellipse((x - r, y - r, x + r, y + r), inner, colour, 2 * OVERSAMPLING)

    def cross(self, at: Point, colour: Colour) -> None:
        """Draw the mark of a line that was stopped."""
        x, y = at
        self.line(((x - 7, y - 7), (x + 7, y + 7)), colour, 3, False)
        self.line(((x - 7, y + 7), (x + 7, y - 7)), colour, 3, False)


def _named_lines(panel: Panel) -> list[Line]:
    return [line for line in panel.lines if line.name]


def _draw_panel(pen: Pen, panel: Panel, x: float, y: float, wide: float, legends: float) -> None:
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
    for value in _round_ticks(up.low, up.high, up.logarithmic):
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


def _scales(
    panel: Panel, left: float, right: float, top: float, bottom: float
) -> tuple[Scale, Scale]:
    ys = [value for line in panel.lines for _, value in line.points] or [1.0]
    by_x, by_y = panel.logarithmic
    # A little room, so that labels of axes stand over no line.
    low, high = (min(ys) / 1.3, max(ys) * 2.2) if by_y else (0.0, max(ys) * 1.18)
    across = Scale(min(panel.ticks), max(panel.ticks), left + 16, right, by_x)
    return across, Scale(low, high, bottom, top, by_y)


def _round_ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Return round numbers within the range: about five."""
    if logarithmic:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        # Ten times or less: many marks; a thousand times: few.
        marks = {10: (1, 1.5, 2, 3, 5, 7), 300: (1, 2, 5), 3000: (1, 3), math.inf: (1,)}
        steps = next(each for most, each in marks.items() if high / low < most)
        found = [step * 10.0**power for power in powers for step in steps]
    else:
        rough = (high - low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * s for s in (1, 2, 5, 10) if power * s >= rough)
        found = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [value for value in found if low <= value <= high]


def _number_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
