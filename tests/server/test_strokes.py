"""Strokes of a brush on a trimap."""

from typing import Any

import numpy as np
import pytest

from matte.arrays import Trimap
from matte.limits import MAX_STROKES
from matte.server.problems import ProblemError
from matte.server.strokes import PIECE_POINTS, Stroke, draw_strokes, parse_strokes
from matte.watching import watched_by

PLAIN = Trimap(np.full((60, 80), 128, np.uint8))
GOOD = {"value": "subject", "radius": 4, "points": [[10, 10], [40.5, 20]]}


def test_strokes_are_drawn_one_over_the_other() -> None:
    strokes = parse_strokes(
        {"strokes": [GOOD, {"value": "background", "radius": 2, "points": [[10, 10]]}]}, 80, 60
    )
    drawn = draw_strokes(PLAIN, strokes)
    assert drawn[10, 10] == 0
    assert drawn[15, 25] == 255
    assert drawn[40, 40] == 128
    assert (PLAIN == 128).all()


def test_a_long_stroke_can_be_stopped() -> None:
    told: list[float] = []

    def stop(stage: str, done: float) -> None:
        told.append(done)
        if len(told) == 3:
            raise InterruptedError

    stroke = Stroke("subject", 2000, tuple((float(n % 80), 3.0) for n in range(20 * PIECE_POINTS)))
    with pytest.raises(InterruptedError), watched_by(stop):
        draw_strokes(PLAIN, [stroke])
    assert len(told) == 3


def test_a_stroke_in_pieces_has_no_gaps() -> None:
    points = tuple((5 + 0.3 * n, 30.0) for n in range(3 * PIECE_POINTS))
    drawn = draw_strokes(PLAIN, [Stroke("subject", 2, points)])
    assert (drawn[30, 5:62] == 255).all()


def test_a_dot_has_its_radius() -> None:
    (dot,) = parse_strokes({"strokes": [{**GOOD, "radius": 10, "points": [[40, 30]]}]}, 80, 60)
    drawn = draw_strokes(PLAIN, [dot])
    rows, columns = np.nonzero(drawn == 255)
    assert 19 <= rows.max() - rows.min() <= 21
    assert 19 <= columns.max() - columns.min() <= 21
    half = draw_strokes(Trimap(np.full((30, 40), 128, np.uint8)), [dot.scaled(0.5)])
    assert abs(int((half == 255).sum()) * 4 - int((drawn == 255).sum())) < 80


@pytest.mark.parametrize(
    "table",
    [
        None,
        {},
        {**GOOD, "value": "hair"},
        {**GOOD, "value": []},
        {**GOOD, "radius": 0},
        {**GOOD, "radius": float("nan")},
        {**GOOD, "radius": True},
        {**GOOD, "points": []},
        {**GOOD, "points": [[1]]},
        {**GOOD, "points": [[1, "2"]]},
        {**GOOD, "points": [[1e9, 2]]},
        {**GOOD, "points": [[float("inf"), 2]]},
        {**GOOD, "more": 1},
    ],
)
def test_what_is_no_stroke_is_refused(table: Any) -> None:
    with pytest.raises(ProblemError):
        parse_strokes({"strokes": [table]}, 80, 60)


def test_there_is_a_limit() -> None:
    with pytest.raises(ProblemError):
        parse_strokes({"strokes": [GOOD] * (MAX_STROKES + 1)}, 80, 60)
    long = {**GOOD, "points": [[1, 1]] * 15_000}
    with pytest.raises(ProblemError):
        parse_strokes({"strokes": [long, long]}, 80, 60)
    documents: tuple[Any, ...] = ([], {}, {"strokes": 5}, "x")
    for document in documents:
        with pytest.raises(ProblemError):
            parse_strokes(document, 80, 60)
