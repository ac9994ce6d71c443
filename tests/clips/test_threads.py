import threading
import time
from collections.abc import Generator, Iterator
from threading import Semaphore

import cv2
import pytest

from matte.clips.threads import TimedResults, run_ahead, single_threaded_opencv


class Source:
    """Counts what was taken of it, and knows whether it was closed."""

    def __init__(self, count: int) -> None:
        self.count, self.taken, self.closed = count, 0, False

    def items(self) -> Generator[int]:
        try:
            for number in range(self.count):
                self.taken += 1
                yield number
        finally:
            self.closed = True


def doubled(items: Iterator[int]) -> Iterator[int]:
    for item in items:
        yield 2 * item


def paired(items: Iterator[int]) -> Iterator[int]:
    """A step that comes late, and has something left at the end."""
    before = None
    for item in items:
        if before is not None:
            yield before
        before = item
    if before is not None:
        yield before


def test_order_and_end_are_kept_through_several_steps() -> None:
    source = Source(50)
    found = list(run_ahead(paired, run_ahead(doubled, source.items(), 2), 1))
    assert found == [2 * n for n in range(50)]
    assert source.closed


def test_no_more_than_so_many_are_prepared() -> None:
    source = Source(100)
    items = run_ahead(doubled, source.items(), 3)
    assert next(items) == 0
    time.sleep(0.1)
    assert source.taken <= 6  # one was taken, three wait, one is in the hands of the thread
    items.close()
    assert source.closed
    assert source.taken <= 6


def test_closing_ends_every_thread() -> None:
    before = threading.active_count()
    source = Source(10_000)
    items = run_ahead(doubled, run_ahead(paired, run_ahead(doubled, source.items(), 2), 2), 2)
    next(items)
    items.close()
    assert source.closed
    assert threading.active_count() == before


def test_what_the_source_raises_comes_out_behind_what_was_before() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise OSError("gone")

    items = run_ahead(doubled, broken(), 2)
    assert next(items) == 2
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_what_a_later_step_raises_closes_the_source() -> None:
    def failing(items: Iterator[int]) -> Iterator[int]:
        yield next(items)
        raise ValueError("step")

    source = Source(1000)
    items = run_ahead(failing, run_ahead(doubled, source.items(), 1), 1)
    assert next(items) == 0
    with pytest.raises(ValueError, match="step"):
        list(items)
    assert source.closed


def test_steps_overlap() -> None:
    """Two steps that wait for one another's frame at the same time: in one thread none would."""
    meeting = threading.Barrier(2, timeout=20)

    def meet(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            if item > 0:
                meeting.wait()
            yield item

    def meet_too(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            if item < 5:
                meeting.wait()
            yield item

    assert list(run_ahead(meet_too, run_ahead(meet, Source(6).items(), 1), 1)) == list(range(6))


def test_blocks_with_one_thread_may_overlap() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        one, other = single_threaded_opencv(), single_threaded_opencv()
        one.__enter__()
        other.__enter__()
        assert cv2.getNumThreads() == 1
        one.__exit__(None, None, None)
        assert cv2.getNumThreads() == 1
        other.__exit__(None, None, None)
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_results_are_fetched_by_who_waits_only_so_long() -> None:
    going = Semaphore(0)
    reached: list[int] = []

    def numbers() -> Generator[int]:
        for number in range(4):
            going.acquire()
            reached.append(number)
            yield number

    results = TimedResults(numbers())
    assert results.fetch(0.01) is None
    going.release(4)
    assert results.fetch(5) == 0
    assert results.fetch(5) == 1
    for _ in range(5000):
        if len(reached) == 3:
            break
        time.sleep(0.001)
    time.sleep(0.05)
    assert len(reached) == 3, "it goes on when a result is fetched"
    assert [results.fetch(5), results.fetch(5), results.fetch(5)] == [2, 3, None]
    assert results.ended
    results.close()


def test_errors_are_raised_where_results_are_fetched() -> None:
    def failing() -> Generator[int]:
        yield 1
        raise ValueError("no more")

    results = TimedResults(failing())
    assert results.fetch(5) == 1
    with pytest.raises(ValueError, match="no more"):
        results.fetch(5)
    results.close()


def test_closed_results_close_their_generator() -> None:
    closed = []

    def numbers() -> Generator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    results = TimedResults(numbers())
    assert results.fetch(5) == 0
    results.close()
    assert closed == [True]
    assert results.fetch(0) is None
