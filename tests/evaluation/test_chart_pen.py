import numpy as np
import pytest
from PIL import Image as Pillow

from matte.evaluation.chart_pen import OVERSAMPLING, RED, Pen, Scale, round_ticks


def test_scales() -> None:
    linear = Scale(0, 10, 100, 200, False)
    assert [linear(0), linear(5), linear(10)] == [100, 150, 200]
    up = Scale(1, 100, 400, 200, True)
    assert [up(1), up(10), up(100)] == pytest.approx([400, 300, 200])
    assert Scale(3, 3, 0, 9, False)(3) == 0, "one value is no division by zero"


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "expected"),
    [
        (0.86, 0.98, False, [0.875, 0.9, 0.925, 0.95, 0.975]),
        (0, 11, False, [0, 2.5, 5, 7.5, 10]),
        (8, 260, True, [10, 20, 50, 100, 200]),
        (0.5, 40_000, True, [1, 10, 100, 1000, 10_000]),
    ],
)
def test_ticks_are_round(low: float, high: float, logarithmic: bool, expected: list[float]) -> None:
    assert round_ticks(low, high, logarithmic) == pytest.approx(expected)


def test_lines_dots_and_texts_are_drawn_in_pixels_of_the_finished_sheet() -> None:
    sheet = Pillow.new("RGB", (100 * OVERSAMPLING, 60 * OVERSAMPLING), (255, 255, 255))
    pen = Pen(sheet)
    pen.line(((10, 30), (90, 30)), RED, 2, False)
    pen.dot((50, 15), RED, True)
    found = (np.asarray(sheet) == RED).all(axis=2)
    x = np.nonzero(found[25 * OVERSAMPLING :])[1]
    assert x.min() // OVERSAMPLING == 10
    assert x.max() // OVERSAMPLING == 90
    assert found[15 * OVERSAMPLING, 50 * OVERSAMPLING]
    assert pen.width("wide") > pen.width("w") > 5
