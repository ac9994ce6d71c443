"""Several processes that share the pictures of a run: whichever is free gets the next one."""

import multiprocessing
import signal
import sys
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from matte.errors import BackendError, MatteError, MatteWarning
from matte.interrupts import held_interrupts
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location, existing
from matte.photos.many import RunRecorder
from matte.photos.process_work import (
    Asking,
    Finished,
    Idle,
    Message,
    SharedWork,
    Warned,
    run_process,
)
from matte.photos.stored_run_file import open_run_file

MAX_TRIES = 2  # of a picture that was alone in a process that was killed
MAX_FAILED_STARTS = 3  # of processes that end before they have begun
SECONDS_TO_END = 10.0  # for the pictures that are just worked on


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, and the pictures that it has but has not answered for."""

    process: SpawnProcess
    connection: Connection
    jobs: list[PhotoJob] = field(default_factory=list)
    has_begun: bool = False
    is_idle: bool = False


class PhotoProcesses:
    """Works on pictures in several processes.

    The first one begins alone: what is measured or compiled once on a machine is so once. A process
    that is killed costs nothing: its pictures are done again by others, each alone, so that one
    that kills every process is known.
    """

    def __init__(self, count: int, work: SharedWork) -> None:
        self._count, self._work = count, work
        self._workers: list[_Worker] = []
        self._waiting: deque[PhotoJob] = deque()
        self._tries: Counter[Location] = Counter()
        self._suspects: set[Location] = set()  # targets of which one has killed a process
        self._had_result: set[Location] = set()  # targets that were there before a process had them
        self._failed_starts = 0
        self._recorder: RunRecorder | None = None  # that announces several pictures at once
        self._replaces: Callable[[PhotoJob], bool] = lambda job: job.replaces
        self.facts: dict[str, Any] = {}
        """What a report says of the processes' pipelines."""

    def __enter__(self) -> "PhotoProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes: what they just work on is done or not there."""
        with held_interrupts():
            for worker in self._workers:
                with suppress(OSError):
                    if worker.is_idle:
                        worker.connection.send(None)
                    else:
                        worker.process.terminate()
                worker.connection.close()
            for worker in self._workers:
                worker.process.join(SECONDS_TO_END)
                if worker.process.is_alive():
                    worker.process.kill()
                    worker.process.join()
            self._workers.clear()

    def begin(self) -> None:
        """Start the first process, so that the first picture does not wait for it."""
        self._workers.append(_started(self._work))

    def run(self, batch: Batch) -> Iterator[PhotoOutcome]:
        """Yield what became of each picture of a batch, as they are done."""
        batch.make_folders()
        self._replaces = batch.replaces
        if self._work.results is not None:
            run_file = open_run_file(self._work.results, self._work.fingerprint)
            if run_file.announced > 1:
                self._recorder = RunRecorder(run_file, self._work.results)
        self._waiting.extend(batch.jobs)
        while self._waiting or any(worker.jobs for worker in self._workers):
            self._start_and_wake()
            ready = set(wait([worker.connection for worker in self._workers]))
            for worker in [each for each in self._workers if each.connection in ready]:
                try:
                    message: Message = worker.connection.recv()
                except (EOFError, OSError):
                    yield from self._lose(worker)
                else:
                    yield from self._answer(worker, message)

    def _start_and_wake(self) -> None:
        """Give idle processes a picture, and start those that are wanted besides."""
        for worker in self._workers:
            if worker.is_idle and self._waiting:
                worker.is_idle = False
                self._hand_out(worker)
        while len(self._workers) < min(self._count, len(self._waiting) + len(self._workers)):
            if self._workers and not any(worker.has_begun for worker in self._workers):
                return
            self._workers.append(_started(self._work))

    def _answer(self, worker: _Worker, message: Message) -> Iterator[PhotoOutcome]:
        """Do what a process's message asks for; yield the outcome that it brings."""
        if isinstance(message, Idle):
            worker.has_begun = worker.is_idle = True
            self._add_facts(message.facts)
        elif isinstance(message, Asking):
            self._hand_out(worker, beside_others=True)
        elif isinstance(message, Warned):
            warnings.warn(message.text, MatteWarning, stacklevel=2)
        elif isinstance(message, Finished):
            done = message.outcome
            worker.jobs = [job for job in worker.jobs if job.target != done.job.target]
            yield done
        elif message.error is not None:
            raise message.error
        else:
            raise RuntimeError(f"a process of the run failed:\n{message.trace}")

    def _hand_out(self, worker: _Worker, beside_others: bool = False) -> None:
        """Send a process the next picture; None if there is none that fits beside its others."""
        next_ones = [*worker.jobs, *islice(self._waiting, 1)] if beside_others else []
        is_risky = any(job.target in self._suspects for job in next_ones)
        job = self._waiting.popleft() if self._waiting and not is_risky else None
        if job is not None:
            worker.jobs.append(job)
            self._had_result |= self._results_before(job)
        with suppress(OSError):  # it is gone, which is found out when it is asked
            worker.connection.send(job)

    def _results_before(self, job: PhotoJob) -> set[Location]:
        """Return which results are there of a job that is handed out, and of those after it.

        In a store, that is asked of many at once, and all others are announced.
        """
        if self._recorder is None:
            return existing([job.target])
        return self._recorder.announce(job, chain([job], self._waiting), self._replaces)

    def _lose(self, worker: _Worker) -> Iterator[PhotoOutcome]:
        """Put the pictures of a process that has ended back; yield those that are given up."""
        self._workers.remove(worker)
        worker.process.join()
        worker.connection.close()
        end = _end_in_words(worker.process.exitcode)
        if not worker.has_begun:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise BackendError(f"processes {end} before they began", "give fewer --jobs")
        names = ", ".join(str(job.source) for job in worker.jobs)
        again = f": done again: {names}" if names else ""
        warnings.warn(f"a process {end}{again}", MatteWarning, stacklevel=2)
        for job in reversed(worker.jobs):
            self._suspects.add(job.target)
            self._tries[job.target] += len(worker.jobs) == 1
            if self._tries[job.target] >= MAX_TRIES:
                cause = f"{job.source}: each process that worked on it {end}"
                yield self._give_up(job, BackendError(cause, "give fewer --jobs"))
            else:
                # What the process has placed of it may be replaced, but nobody else's file.
                mine = job.replaces or job.target not in self._had_result
                self._waiting.appendleft(replace(job, replaces=mine))

    def _give_up(self, job: PhotoJob, error: MatteError) -> PhotoOutcome:
        """Return the outcome of a picture that is not tried again, once it is recorded."""
        outcome = PhotoOutcome(job, error=error)
        if self._work.results is not None:
            with open_run_file(self._work.results, self._work.fingerprint) as run_file:
                RunRecorder(run_file, self._work.results).end(outcome)
        return outcome

    def _add_facts(self, facts: Mapping[str, Any]) -> None:
        """Add what a process has found out: of networks, those that it has opened since."""
        networks = {**self.facts.get("networks", {}), **facts["networks"]}
        self.facts = {**facts, "networks": networks}


def _started(work: SharedWork) -> _Worker:
    """Return a new process, which a Ctrl-C in the terminal does not reach: it is told to end."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_process, args=(theirs, work), daemon=True)
    has_masks = sys.platform != "win32"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if has_masks else set()
    try:
        process.start()
    finally:
        if has_masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return _Worker(process, ours)


def _end_in_words(code: int | None) -> str:
    """Return how a process ended.

    >>> _end_in_words(-9)
    'was killed (SIGKILL), perhaps for want of memory'
    """
    if code is None or code >= 0:
        return f"ended by itself (exit code {code})"
    name = signal.Signals(-code).name
    want = ", perhaps for want of memory" if -code == getattr(signal, "SIGKILL", 0) else ""
    return f"was killed ({name}){want}"
