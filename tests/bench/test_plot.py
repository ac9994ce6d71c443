import numpy as np
import pytest

from matte.bench.plot import OUR_COLOUR, STAGE_COLOURS, THEIR_COLOUR, draw_plot
from tests.bench.reports import report


def test_bars_are_as_long_as_what_they_tell() -> None:
    plot = draw_plot(report())
    assert plot.dtype == np.uint8
    height, width = plot.shape[:2]
    assert (width, 400 < height < 900) == (1600, True)

    def area(colour: tuple[int, int, int]) -> int:
        return int((plot == colour).all(axis=2).sum())

    legend = 18 * 18
    refine, segment = (area(STAGE_COLOURS[name]) - legend for name in ("refine", "segment"))
    assert refine / segment == pytest.approx(4, rel=0.05)  # of two candidates; no others count
    assert area(THEIR_COLOUR) / area(OUR_COLOUR) == pytest.approx(2.5, rel=0.05)
