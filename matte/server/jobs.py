"""A bounded queue in front of a few threads: each piece of work can be stopped and has a limit."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Protocol, TypeVar

from starlette.requests import Request

from matte.server.problems import ProblemError
from matte.watching import Watcher, watched_by

T = TypeVar("T")
FIRST_GUESS_SECONDS = 2.0  # of a job, before one has run
PACE_WEIGHT = 0.2  # of the newest job in the running mean


class JobStoppedError(Exception):
    """A job's work was stopped: nobody waits for it any more."""


class Job:
    """A piece of work in the queue or in a thread."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._stopped = False

    def stop(self) -> None:
        """Let the work end at its next step."""
        self._stopped = True

    def report_progress(self, stage: str, done: float) -> None:
        """Be told how far the work is; raises JobStoppedError if nobody wants it any more."""
        if self._stopped:
            raise JobStoppedError
        self._watcher(stage, done)


class JobObserver(Protocol):
    """Counts what the queue does."""

    def job_began(self) -> None:
        """A job left the queue."""
        ...

    def job_ended(self, seconds: float, outcome: str) -> None:
        """A job is done, failed or stopped."""
        ...


class JobQueue:
    """Runs jobs in a few threads; refuses more than `max_waiting`."""

    def __init__(
        self, threads: int, max_waiting: int, max_seconds: float, observer: JobObserver
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="job")
        self._threads, self._max_waiting = threads, max_waiting
        self._max_seconds, self._observer = max_seconds, observer
        self._counting = Lock()
        self.unfinished = 0
        self._usual_seconds = FIRST_GUESS_SECONDS

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        return max(0, self.unfinished - self._threads)

    async def run(
        self, request: Request | None, work: Callable[[], T], watcher: Watcher = lambda *_: None
    ) -> T:
        """Return what `work` returns, run in a thread when its turn comes.

        It is stopped when the request's client goes away, or after the limit of seconds. Raises
        ProblemError where the queue is full.
        """
        if self.waiting >= self._max_waiting:
            raise ProblemError(
                503, "too many requests wait", "ask again later", self._seconds_until_free()
            )
        job = Job(watcher)
        future = self._submit(job, work)
        running = asyncio.wrap_future(future)
        gone = None if request is None else asyncio.create_task(_wait_until_gone(request))
        try:
            waited: set[asyncio.Future[Any]] = {running} if gone is None else {running, gone}
            await asyncio.wait(
                waited, timeout=self._max_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if running.done():
                return running.result()
            if gone is not None and gone.done():
                raise JobStoppedError
            raise ProblemError(
                503,
                f"it was not done after {self._max_seconds:g} seconds",
                "give a smaller picture, or quicker settings",
                self._seconds_until_free(),
            )
        finally:
            job.stop()
            future.cancel()
            if gone is not None:
                gone.cancel()
            if not running.done():
                running.add_done_callback(_ignore_outcome)

    def close(self) -> None:
        """Let no more jobs begin."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, job: Job, work: Callable[[], T]) -> Future[T]:
        """Put work into the queue."""

        def run_watched() -> T:
            self._observer.job_began()
            begin, outcome = time.monotonic(), "failed"
            try:
                with watched_by(job.report_progress):
                    job.report_progress("begin", 0)
                    found = work()
                outcome = "done"
                return found
            except JobStoppedError:
                outcome = "stopped"
                raise
            finally:
                self._observe(time.monotonic() - begin, outcome)

        with self._counting:
            self.unfinished += 1
        future = self._pool.submit(run_watched)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[Any]) -> None:
        """Count a job that is done, failed, stopped or was never begun."""
        with self._counting:
            self.unfinished -= 1

    def _observe(self, seconds: float, outcome: str) -> None:
        """Remember what a job took."""
        if outcome == "done":
            self._usual_seconds += PACE_WEIGHT * (seconds - self._usual_seconds)
        self._observer.job_ended(seconds, outcome)

    def _seconds_until_free(self) -> float:
        """Return how long the queue probably takes to shrink by some."""
        return min(60.0, 1 + self._usual_seconds * max(1, self.waiting) / self._threads / 2)


async def _wait_until_gone(request: Request) -> None:
    """Wait until the request's client has gone away; its body was read before."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return


def _ignore_outcome(task: "asyncio.Future[Any]") -> None:
    """Take what a job that nobody waits for raised, so that nothing complains of it."""
    if not task.cancelled():
        task.exception()
