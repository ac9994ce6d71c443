"""The stopwatch of a run."""

import time

import pytest

from matte.pipeline.timing import Stopwatch


def test_times_of_one_name_add_up() -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch("sleep"):
            time.sleep(0.002)
    watch.add("elsewhere", 1.25)
    assert list(watch.ms) == ["sleep", "elsewhere"]
    assert watch.ms["sleep"] >= 4
    assert watch.ms["elsewhere"] == 1.25


def test_a_block_that_fails_is_timed_too() -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch("refine"):
        raise KeyError
    assert "refine" in watch.ms
