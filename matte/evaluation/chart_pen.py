"""What all charts are drawn with: a pen in pixels, scales of axes, and colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

OVERSAMPLING = 2  # how much larger everything is drawn, for smooth lines
DOT = 5  # pixels: the radius of a point
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

    def width(self, text: str, size: int = 18) -> float:
        """Return how wide a line of text is."""
        font = ImageFont.load_default(size * OVERSAMPLING)
        return self._draw.textlength(text, font) / OVERSAMPLING

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
        x, y, r = at[0] * OVERSAMPLING, at[1] * OVERSAMPLING, DOT * OVERSAMPLING
        inner = colour if filled else PAPER
        self._draw.ellipse((x - r, y - r, x + r, y + r), inner, colour, 2 * OVERSAMPLING)

    def cross(self, at: Point, colour: Colour) -> None:
        """Draw the mark of a line that was stopped."""
        x, y = at
        self.line(((x - 7, y - 7), (x + 7, y + 7)), colour, 3, False)
        self.line(((x - 7, y + 7), (x + 7, y - 7)), colour, 3, False)


def round_ticks(low: float, high: float, logarithmic: bool) -> list[float]:
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
        step = next(power * s for s in (1, 2, 2.5, 5, 10) if power * s >= rough)
        found = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [value for value in found if low <= value <= high]
