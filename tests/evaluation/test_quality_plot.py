from dataclasses import replace

import numpy as np
import pytest

from matte.errors import SettingError
from matte.evaluation.chart_pen import BLUE, RED
from matte.evaluation.quality_plot import draw_quality_plot
from tests.evaluation.costs import segmenter_scores


def test_the_better_stands_higher_and_the_slower_farther_right() -> None:
    plot = draw_quality_plot(segmenter_scores(), "portraits")
    assert plot.dtype == np.uint8
    assert plot.shape[1] == 1600
    half = plot.shape[1] // 2
    large, small = (np.nonzero((plot[:, :half] == colour).all(axis=2)) for colour in (BLUE, RED))
    assert large[0].max() < small[0].min()
    assert small[1].min() < large[1].min()
    other = plot[:, half:]
    assert not (other == RED).all(axis=2).any(), "it has no time in the second runtime"
    again = np.nonzero((other == BLUE).all(axis=2))
    assert again[0].min() == large[0].min(), "both panels have one range"


def test_without_times_there_is_nothing_to_draw() -> None:
    with pytest.raises(SettingError, match="no time to draw"):
        draw_quality_plot(replace(segmenter_scores(), costs={}), "portraits")
