"""Named points: names cover neither each other nor other points, and stay in the plot."""

import itertools

from PIL import Image as Pillow

from matte.evaluation.chart_pen import BLUE, DOT, OVERSAMPLING, RED, Colour, Pen, Point, Scale
from matte.evaluation.chart_points import NamedPoint, draw_points

SIDE = 400
ACROSS, UP = Scale(0, 10, 0, SIDE, False), Scale(0, 10, SIDE, 0, False)


class RecordingPen(Pen):
    """Keeps where names are written: left, top, right, bottom."""

    def __init__(self) -> None:
        super().__init__(Pillow.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING)))
        self.names: list[tuple[float, float, float, float]] = []

    def text(
        self, at: Point, text: str, colour: Colour = RED, size: int = 18, anchor: str = "la"
    ) -> None:
        self.names.append((at[0], at[1] - 10, at[0] + self.width(text), at[1] + 10))
        super().text(at, text, colour, size, anchor)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_names_cover_nothing() -> None:
    pen = RecordingPen()
    places = [(5, 5), (5.2, 5.1), (5.4, 4.9), (9.8, 5), (0.1, 9.9)]
    points = [NamedPoint(f"network {x:g}", x, y, y - 0.1, y + 0.1, BLUE) for x, y in places]
    draw_points(pen, points, (ACROSS, UP), (0, 0, SIDE, SIDE))
    assert len(pen.names) == len(points)
    for one, other in itertools.combinations(pen.names, 2):
        assert not overlap(one, other)
    for x, y in places:
        dot = (ACROSS(x) - DOT, UP(y) - DOT, ACROSS(x) + DOT, UP(y) + DOT)
        assert not any(overlap(name, dot) for name in pen.names)
    assert all(left >= 0 and right <= SIDE for left, _, right, _ in pen.names)
    assert pen.names[3][2] < ACROSS(9.8), "left of a point at the right end"


def test_without_room_a_name_stands_beside_its_point() -> None:
    pen = RecordingPen()
    long = NamedPoint("n" * 100, 5, 5, 4, 6, BLUE)
    draw_points(pen, [long], (ACROSS, UP), (0, 0, SIDE, SIDE))
    assert pen.names[0][0] > ACROSS(5)
