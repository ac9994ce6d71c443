from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.evaluation.chart_pen import BLUE, GREEN, RED, Colour
from matte.evaluation.chart_points import NamedPoint
from matte.evaluation.charts import SHEET_WIDTH, ChartLine, ChartPanel, draw_charts

LINES = (
    ChartLine("one", [(1, 10), (10, 20), (100, 80)], BLUE),
    ChartLine("other", [(1, 30), (10, 60)], RED, stop="no memory"),
)


def rows_of(picture: NDArray[Any], colour: Colour) -> NDArray[Any]:
    return np.nonzero((picture == colour).all(axis=2).any(axis=1))[0]


def test_a_panel_has_its_lines_and_their_legend() -> None:
    panel = ChartPanel("title", "x", "y", LINES, [1, 10, 100])
    sheet = draw_charts("Lines", "about", [panel, panel, panel])
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == SHEET_WIDTH
    alone = draw_charts("Lines", "about", [panel], columns=1)
    assert sheet.shape[0] > 1.7 * alone.shape[0], "two rows"
    assert len(rows_of(alone, BLUE)) > 200
    assert rows_of(alone, RED).max() < rows_of(alone, BLUE).max(), "higher values stand higher"


def test_points_fill_the_range_of_their_panel() -> None:
    points = [
        NamedPoint("good", 200, 0.95, 0.94, 0.96, BLUE),
        NamedPoint("quick", 20, 0.9, 0.88, 0.91, GREEN),
    ]
    panel = ChartPanel(
        "runtime", "milliseconds", "IoU", (), [10, 100], (True, False), points, (0.87, 0.97)
    )
    sheet = draw_charts("Points", "about", [panel], columns=1)
    good, quick = rows_of(sheet, BLUE), rows_of(sheet, GREEN)
    assert good.max() < quick.min()
    assert quick.max() - good.min() > 300, "and the axis doesn't begin at 0"
