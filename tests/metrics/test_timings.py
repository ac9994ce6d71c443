from matte.metrics.timings import summarise_timings


def test_timings_become_median_and_quartiles() -> None:
    found = summarise_timings([4.0, 1.0, 2.0, 3.0, 5.004])
    assert (found.low, found.median, found.high, found.count) == (2, 3, 4, 5)
    assert found.as_json() == {"median": 3, "q1": 2, "q3": 4, "runs": 5}
    assert summarise_timings([0.123449], 4).median == 0.1234
