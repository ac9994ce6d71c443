import time

import pytest

from matte.clips.live.statistics import DisplayStatistics


def test_rates_and_latencies_are_measured() -> None:
    statistics = DisplayStatistics()
    assert (
        statistics.fps,
        statistics.recent_fps,
        statistics.latency,
        statistics.running_seconds,
    ) == (0, 0, 0, 0)
    assert statistics.latency_quantiles() == (0, 0)
    for _ in range(40):
        time.sleep(0.002)
        statistics.add_frame(time.monotonic() - 0.1)
    usual, most = statistics.latency_quantiles()
    assert 0.1 <= usual <= most < 0.3
    assert 0.1 <= statistics.latency < 0.3
    assert statistics.fps == pytest.approx(39 / statistics.shown_seconds)
    assert 1 < statistics.recent_fps < 500
