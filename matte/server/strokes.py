"""Strokes of a brush on a trimap: what a person knows better than the network."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Trimap
from matte.limits import MAX_STROKE_POINTS, MAX_STROKE_RADIUS, MAX_STROKES
from matte.server.problems import ProblemError
from matte.watching import tell_watcher

VALUES = {"background": BACKGROUND, "unknown": UNKNOWN, "subject": SUBJECT}
SUBPIXEL_BITS = 4  # OpenCV's fixed-point positions
PIECE_POINTS = 64  # of a long stroke, drawn between two chances to stop the work


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of round brush marks: what it says, its radius and its points, in pixels."""

    value: str
    radius: float
    points: tuple[tuple[float, float], ...]

    def scaled(self, factor: float) -> "Stroke":
        """Return the stroke on a copy of the picture that is `factor` times as large."""
        points = tuple((x * factor, y * factor) for x, y in self.points)
        return Stroke(self.value, max(0.5, self.radius * factor), points)


def parse_strokes(document: Any, width: int, height: int) -> tuple[Stroke, ...]:
    """Return the strokes of a JSON document, for a picture of this size; raise ProblemError."""
    listed = document.get("strokes") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_STROKES:
        raise ProblemError(400, f"strokes is no list of up to {MAX_STROKES}")
    strokes = tuple(_parse_stroke(each, width, height) for each in listed)
    if sum(len(stroke.points) for stroke in strokes) > MAX_STROKE_POINTS:
        raise ProblemError(413, f"the strokes have more than {MAX_STROKE_POINTS} points")
    return strokes


def _parse_stroke(table: Any, width: int, height: int) -> Stroke:
    """Return one stroke of a JSON document."""
    if not isinstance(table, dict) or set(table) != {"value", "radius", "points"}:
        raise ProblemError(400, "a stroke has a value, a radius and points")
    value, points = table["value"], table["points"]
    if not isinstance(value, str) or value not in VALUES:
        raise ProblemError(400, "a stroke's value is none", f"give {', '.join(VALUES)}")
    radius = _number(table["radius"], 0.5, MAX_STROKE_RADIUS, "a stroke's radius")
    if not isinstance(points, list) or not 0 < len(points) <= MAX_STROKE_POINTS:
        raise ProblemError(400, f"a stroke's points are no list of 1 to {MAX_STROKE_POINTS}")
    found = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise ProblemError(400, "a stroke's point is no [x, y]")
        x = _number(point[0], -MAX_STROKE_RADIUS, width + MAX_STROKE_RADIUS, "a point's x")
        y = _number(point[1], -MAX_STROKE_RADIUS, height + MAX_STROKE_RADIUS, "a point's y")
        found.append((x, y))
    return Stroke(value, radius, tuple(found))


def _number(value: Any, low: float, high: float, name: str) -> float:
    """Return a number in low … high; raise ProblemError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProblemError(400, f"{name} is no number")
    if not (low <= value <= high and math.isfinite(value)):  # NaN fails
        raise ProblemError(400, f"{name} is outside {low:g} … {high:g}")
    return float(value)


def draw_strokes(trimap: Trimap, strokes: Iterable[Stroke]) -> Trimap:
    """Return the trimap with the strokes drawn over it, one after the other."""
    drawn = trimap.copy()
    for stroke in strokes:
        # Neighbouring pieces share a point.
        for first in range(0, max(1, len(stroke.points) - 1), PIECE_POINTS):
            tell_watcher("trimap", 0)
            piece = stroke.points[first : first + PIECE_POINTS + 1]
            _draw(drawn, piece, stroke.radius, VALUES[stroke.value])
    return Trimap(drawn)


def _draw(levels: Trimap, points: Sequence[tuple[float, float]], radius: float, value: int) -> None:
    """Draw a line with round ends and joints, in place."""
    fixed = np.round(np.asarray(points) * (1 << SUBPIXEL_BITS)).astype(np.int32)
    thick = max(1, round(2 * radius))
    if len(fixed) > 1:
        cv2.polylines(levels, [fixed], False, value, thick, cv2.LINE_8, SUBPIXEL_BITS)
    for x, y in (fixed[0], fixed[-1]):
        whole = round(radius * (1 << SUBPIXEL_BITS))
        cv2.circle(levels, (int(x), int(y)), whole, value, cv2.FILLED, cv2.LINE_8, SUBPIXEL_BITS)
