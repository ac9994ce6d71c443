"""The bounded queue: order, limits, and work that nobody waits for any more."""

import asyncio
import threading
from typing import Any

import pytest
from starlette.requests import Request

from matte.server.jobs import JobQueue, JobStoppedError
from matte.server.problems import ProblemError
from matte.watching import tell_watcher


class Counts:
    """Remembers what the queue told it."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.began = 0

    def job_began(self) -> None:
        self.began += 1

    def job_ended(self, seconds: float, outcome: str) -> None:
        self.outcomes.append(outcome)


def queue(threads: int = 1, waiting: int = 2, seconds: float = 30) -> tuple[JobQueue, Counts]:
    counts = Counts()
    return JobQueue(threads, waiting, seconds, counts), counts


def request_of(gone: asyncio.Event) -> Request:
    """Returns a request whose client goes away when the event is set."""

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)


def work_until(stopped: threading.Event) -> None:
    """Works until the watcher ends it, which sets the event."""
    try:
        while True:
            tell_watcher("refine", 0.5)
    except JobStoppedError:
        stopped.set()
        raise


def test_work_is_done_and_watched() -> None:
    jobs, counts = queue()
    told: list[tuple[str, float]] = []

    def work() -> int:
        tell_watcher("refine", 0.25)
        return 7

    async def run() -> int:
        return await jobs.run(None, work, lambda *step: told.append(step))

    assert asyncio.run(run()) == 7
    assert told == [("begin", 0), ("refine", 0.25)]
    assert (counts.began, counts.outcomes) == (1, ["done"])


def test_what_work_raises_is_raised() -> None:
    jobs, counts = queue()

    def fail() -> None:
        raise LookupError("x")

    with pytest.raises(LookupError, match="x"):
        asyncio.run(jobs.run(None, fail))
    assert counts.outcomes == ["failed"]


def test_a_full_queue_refuses_and_says_when_to_ask_again() -> None:
    jobs, _ = queue(threads=1, waiting=1)
    go = threading.Event()

    async def run() -> ProblemError:
        first = [asyncio.create_task(jobs.run(None, go.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await jobs.run(None, go.wait)
        go.set()
        await asyncio.gather(*first)
        return refused.value

    problem = asyncio.run(run())
    assert problem.status == 503
    assert int(problem.headers()["Retry-After"]) >= 1


@pytest.mark.parametrize("reason", ["client", "time", "cancelled"])
def test_work_ends_when_nobody_waits_for_it(reason: str) -> None:
    jobs, counts = queue(seconds=0.05 if reason == "time" else 30)
    stopped = threading.Event()

    async def run() -> None:
        gone = asyncio.Event()
        task = asyncio.create_task(jobs.run(request_of(gone), lambda: work_until(stopped)))
        await asyncio.sleep(0.02)
        if reason == "client":
            gone.set()
        elif reason == "cancelled":
            task.cancel()
        expected = {
            "client": JobStoppedError,
            "time": ProblemError,
            "cancelled": asyncio.CancelledError,
        }
        with pytest.raises(expected[reason]):
            await task
        while not counts.outcomes:
            await asyncio.sleep(0.005)

    asyncio.run(run())
    assert stopped.is_set()
    assert counts.outcomes == ["stopped"]
    assert jobs.waiting == 0


def test_work_whose_client_left_while_it_waited_never_begins() -> None:
    jobs, counts = queue(threads=1, waiting=5)
    go = threading.Event()

    async def run() -> None:
        gone = asyncio.Event()
        first = asyncio.create_task(jobs.run(None, go.wait))
        second = asyncio.create_task(jobs.run(request_of(gone), go.wait))
        await asyncio.sleep(0.01)
        gone.set()
        with pytest.raises(JobStoppedError):
            await second
        go.set()
        await first

    asyncio.run(run())
    assert counts.began == 1
    jobs.close()
