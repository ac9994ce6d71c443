"""Many pictures in one run: what is still to be done, what became of it, and how long it takes."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from matte.errors import MatteError, SettingError
from matte.files import STREAM
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location, existing, location_facts
from matte.photos.resuming import RemainingJobs, ResumeOptions, remaining_jobs, target_name
from matte.photos.run_file import (
    PictureRecord,
    RunFile,
    RunHistory,
    State,
    check_fingerprint,
    read_run_file,
    source_state,
)
from matte.photos.stored_run_file import StoredRunFile, open_run_file
from matte.pipeline.run import BuiltPipeline

TRIED_PICTURES = 3  # for an estimate
EXISTS = "exists"  # why a picture fails whose result is there
EXISTS_REMEDY = " (--skip-existing leaves what is there, --overwrite replaces it)"


@dataclass(slots=True)
class RunSummary:
    """The counts of a run, and when it began."""

    done: int = 0
    done_before: int = 0
    failed_before: int = 0
    without_subject: int = 0
    retries: int = 0  # of calls to stores
    causes: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.perf_counter)

    def add(self, outcome: PhotoOutcome) -> None:
        """Count a picture."""
        self.retries += outcome.retries
        if outcome.error is None:
            self.done += 1
            self.without_subject += outcome.report.get("subject") is False
        else:
            self.causes[cause_alone(outcome)] += 1

    @property
    def failed(self) -> int:
        """How many pictures failed, now or before."""
        return self.failed_before + self.causes.total()

    @property
    def count(self) -> int:
        """How many pictures were worked on now."""
        return self.done + self.causes.total()

    def __str__(self) -> str:
        seconds = max(1e-9, time.perf_counter() - self.began)
        parts = [f"{self.done} written ({self.done / seconds:.2f} a second)"]
        if self.without_subject:
            parts.append(f"{self.without_subject} of them without a subject")
        if self.done_before:
            parts.append(f"{self.done_before} were there")
        if self.failed_before:
            parts.append(f"{self.failed_before} failed before: try them with --retry-failed")
        if self.retries:
            calls = "call" if self.retries == 1 else "calls"
            parts.append(f"{self.retries} {calls} to the store made again")
        for cause, count in self.causes.most_common():
            remedy = EXISTS_REMEDY if cause == EXISTS else ""
            parts.append(f"{count} failed: {cause}{remedy}")
        return "; ".join(parts)


def cause_alone(outcome: PhotoOutcome) -> str:
    """Return why a picture failed, without its name, so that equal causes are counted together.

    Empty if it did not fail.
    """
    if outcome.error is None:
        return ""
    cause = outcome.error.cause
    for name in (str(outcome.job.source), str(outcome.job.target)):
        cause = cause.removeprefix(f"{name}: ").removeprefix(name)
    return cause.strip()


class RunRecorder:
    """Writes down in a run file what becomes of each picture; with neither, nothing."""

    def __init__(self, run_file: RunFile | StoredRunFile | None, results: Location | None) -> None:
        """`results` is the folder that the run file lies in."""
        self._run_file, self._results = run_file, results
        self._announced: set[PhotoJob] = set()
        self._begun: dict[PhotoJob, float] = {}

    def begin(self, job: PhotoJob) -> None:
        """Remember when a picture is begun."""
        self._begun[job] = time.time()

    def announce(
        self, job: PhotoJob, coming: Iterable[PhotoJob], replaces: Callable[[PhotoJob], bool]
    ) -> set[Location]:
        """Write down that a picture will be worked on, unless that is known.

        So are as many of those that are `coming`, this one first, as the run file wants to know at
        once. Once this returns, their results may appear: a later run knows them for its own, and
        may replace them. So a picture whose result is there, and may not be replaced, is not among
        them; those results are returned.
        """
        if self._run_file is None or job in self._announced:
            return set()
        group = list(islice(coming, self._run_file.announced))
        self._announced = set(group)
        there = existing([job.target for job in group if not replaces(job)])
        for each in group:
            if each.target not in there:
                self._write(self._make_record(each, "began"))
        self._run_file.flush()
        return there

    def end(self, outcome: PhotoOutcome) -> PictureRecord | None:
        """Write down what became of a picture; return its record.

        A result that was there is not written down: the picture has not failed, and what an earlier
        run did stays known, so that no later run takes what is there for a failure's.
        """
        error = outcome.error
        record = self._make_record(outcome.job, "done" if error is None else "failed", error)
        if cause_alone(outcome) != EXISTS:
            self._write(record)
        self._begun.pop(outcome.job, None)
        return record

    def _write(self, record: PictureRecord | None) -> None:
        """Add a record to the run file, if there are both."""
        if self._run_file is not None and record is not None:
            self._run_file.add(record)

    def _make_record(
        self, job: PhotoJob, state: State, error: MatteError | None = None
    ) -> PictureRecord | None:
        """Return the record of a picture that is a file; None without a run file."""
        if self._run_file is None or self._results is None or job.source == STREAM:
            return None
        size, mtime_ns = source_state(job.source)
        now = time.time()
        return PictureRecord(
            target=target_name(job, self._results),
            state=state,
            source=str(job.source),
            size=size,
            mtime_ns=mtime_ns,
            at=now,
            ms=round(1000 * (now - self._begun.get(job, now))) if state != "began" else 0,
            sha256="" if state == "began" else location_facts(job.source)["sha256"],
            cause="" if error is None else error.cause,
            remedy="" if error is None else error.remedy,
        )


def run_recorded(
    batch: Batch,
    pipeline: BuiltPipeline,
    run_file: RunFile | StoredRunFile | None,
    results: Location | None,
    coming: Iterator[PhotoJob] | None = None,
) -> Iterator[PhotoOutcome]:
    """Run the batch; yield what became of each picture, once the run file holds it.

    `results` is the folder of the run file; without one nothing is recorded. `coming` are jobs that
    come one after the other, instead of the batch's own; where several are announced at once,
    whoever hands them out has done it.
    """
    for outcome, _ in outcomes_with_records(batch, pipeline, run_file, results, coming):
        yield outcome


def outcomes_with_records(
    batch: Batch,
    pipeline: BuiltPipeline,
    run_file: RunFile | StoredRunFile | None,
    results: Location | None,
    coming: Iterator[PhotoJob] | None = None,
) -> Iterator[tuple[PhotoOutcome, PictureRecord | None]]:
    """Yield what `run_recorded` does, and with each what the run file holds of it."""
    recorder, own = RunRecorder(run_file, results), iter(batch.jobs)

    def begin(job: PhotoJob) -> None:
        if coming is None:
            recorder.announce(job, own, batch.replaces)
        elif run_file is not None and run_file.announced == 1:
            recorder.announce(job, [job], batch.replaces)
        recorder.begin(job)

    with run_file if run_file is not None else nullcontext():
        for outcome in batch.run(pipeline, begin, coming):
            yield outcome, recorder.end(outcome)


class OneProcess:
    """Works on pictures in this process; its pipeline is opened when the first one comes."""

    def __init__(
        self,
        open_pipeline: Callable[[], BuiltPipeline],
        results: Location | None,
        fingerprint: Mapping[str, Any],
    ) -> None:
        """`results` is the folder of the run file, and `fingerprint` what it says of the run."""
        self._open = open_pipeline
        self._pipeline: BuiltPipeline | None = None
        self._results, self._fingerprint = results, fingerprint

    def __enter__(self) -> "OneProcess":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: what is open ends with the process."""

    def begin(self) -> None:
        """Open the pipeline, so that the first picture does not wait for it."""
        self._built()

    def run(self, batch: Batch) -> Iterator[PhotoOutcome]:
        """Yield what became of each picture of a batch, in their order."""
        run_file = open_run_file(self._results, self._fingerprint) if self._results else None
        yield from run_recorded(batch, self._built(), run_file, self._results)

    @property
    def facts(self) -> dict[str, Any]:
        """What a report says of the pipeline."""
        return self._built().facts

    def _built(self) -> BuiltPipeline:
        """Return the pipeline, opened at the first call."""
        self._pipeline = self._pipeline or self._open()
        return self._pipeline


def estimate_seconds(
    jobs: Sequence[PhotoJob], make_batch: Callable[[Sequence[PhotoJob]], Batch], line: BuiltPipeline
) -> float:
    """Return about how long the jobs will take, from a few of them, whose results are not kept."""
    step = max(1, len(jobs) // TRIED_PICTURES)
    tried = list(jobs[::step][:TRIED_PICTURES])
    with tempfile.TemporaryDirectory() as folder:
        targets = [Path(folder, f"{n}{job.target.suffix}") for n, job in enumerate(tried)]
        batch = make_batch(
            [
                replace(job, target=target, makes_folder=False)
                for job, target in zip(tried, targets, strict=True)
            ]
        )
        begin = time.perf_counter()
        for _ in batch.run(line):
            pass
    return (time.perf_counter() - begin) * len(jobs) / max(1, len(tried))


def plan_run(
    jobs: Sequence[PhotoJob],
    options: ResumeOptions,
    results: Location | None,
    fingerprint: Mapping[str, Any],
) -> RemainingJobs:
    """Return what is still to be done; raise SettingError where it can't be known.

    `results` is the folder of the run file.
    """
    history = RunHistory()
    if options.reads_history:
        if results is None:
            raise SettingError("the run file lies in the folder of the results", "name it with -o")
        history = read_run_file(results)
        check_fingerprint(history, fingerprint)
    return remaining_jobs(jobs, options, results, history)
