import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.metrics.intervals import (
    mean_difference,
    mean_interval,
    mean_of_ratios,
    median_ratio,
    ratio_of_means,
)

numbers = st.lists(st.floats(0.01, 100), min_size=1, max_size=12)


@given(numbers)
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = mean_interval(values)
    assert found.value == pytest.approx(np.mean(values))
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == mean_interval(values)


@given(numbers, st.floats(0.1, 10))
def test_pairs_stay_together(values: list[float], factor: float) -> None:
    """However much the pictures differ, a constant ratio or difference is sure."""
    times = ratio_of_means([factor * v for v in values], values)
    assert times is not None
    assert [times.value, times.low, times.high] == pytest.approx([factor] * 3)
    more = mean_difference([v + factor for v in values], values)
    assert [more.value, more.low, more.high] == pytest.approx([factor] * 3)
    assert median_ratio([factor * v for v in values], values) == pytest.approx(factor)


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        found = mean_interval(random.normal(5, 2, 40).tolist())
        held += found.low <= 5 <= found.high
    assert 0.9 < held / 200 < 0.99


def test_seeds_differ_a_little() -> None:
    values = list(np.random.default_rng(0).normal(5, 2, 30))
    one, other = mean_interval(values, seed=1), mean_interval(values, seed=2)
    assert one != other
    assert one.low == pytest.approx(other.low, abs=0.2)


def test_the_ratio_of_means_is_not_the_mean_of_ratios() -> None:
    found = ratio_of_means([1, 9], [2, 3])
    assert found is not None
    assert found.value == 2
    assert median_ratio([1, 9, 4], [2, 3, 4]) == 1


def test_nothing_is_divided_by_nothing() -> None:
    assert ratio_of_means([1, 2], [0, 0]) is None
    assert ratio_of_means([1, 2], [0, 3]) is None  # the resample of the first alone
    assert median_ratio([1, 2], [0, 3]) is None


def test_ratios_are_of_sums() -> None:
    """As Keras counts mean IoU: over all pictures at once, and then the mean of the classes."""
    subject, background = ([1, 1], [2, 8]), ([3, 0], [4, 2])
    found = mean_of_ratios([subject, background])
    assert found.value == pytest.approx((2 / 10 + 3 / 6) / 2)
    alone = ((1 / 8 + 0) / 2, (1 / 2 + 3 / 4) / 2)  # if one picture were drawn twice
    assert [found.low, found.high] == pytest.approx(alone)


def test_a_class_that_is_nowhere_does_not_count() -> None:
    assert mean_of_ratios([([0, 0], [0, 0]), ([1, 1], [2, 2])]).value == 0.5
    nothing = mean_of_ratios([([0], [0]), ([0], [0])])
    assert [nothing.value, nothing.low, nothing.high] == [1, 1, 1]
