"""Which pictures of a run are still to be done, by its run file and by what lies there."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matte.errors import SettingError
from matte.files import STREAM
from matte.photos.jobs import PhotoJob
from matte.photos.locations import Location, current_sha256, existing, stored_files
from matte.photos.run_file import PictureRecord, RunHistory, source_state
from matte.stores.stored_file import StoredFile


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """What a run takes over from earlier ones.

    `resume`: results that the run file knows as done, of sources that have not changed, are not
    made again; pictures that failed are tried again only if `retry_failed`. `skip_existing`:
    pictures whose result is there are left out, whatever made it.
    """

    resume: bool = False
    retry_failed: bool = False
    skip_existing: bool = False

    def __post_init__(self) -> None:
        if self.skip_existing and (self.resume or self.retry_failed):
            cause = "--skip-existing looks at files, --resume at the run file"
            raise SettingError(cause, "give one of them")

    @property
    def reads_history(self) -> bool:
        """Whether the run file is needed."""
        return self.resume or self.retry_failed


@dataclass(frozen=True, slots=True)
class RemainingJobs:
    """The jobs still to be done, how many were done before, and those that had failed."""

    jobs: tuple[PhotoJob, ...]
    done_before: int = 0
    failed_before: tuple[PictureRecord, ...] = ()


def remaining_jobs(
    jobs: Sequence[PhotoJob], options: ResumeOptions, results: Location | None, history: RunHistory
) -> RemainingJobs:
    """Return what of the jobs is still to be done; `results` is the folder of the run file."""
    if options.skip_existing:
        there = existing([job.target for job in jobs], results)
        left = tuple(job for job in jobs if job.target not in there)
        return RemainingJobs(left, len(jobs) - len(left))
    if not options.reads_history or results is None:
        return RemainingJobs(tuple(jobs))
    names = {job: target_name(job, results) for job in jobs}
    known = [job.target for job in jobs if names[job] in history.records]
    stored = existing(stored_files(known), results)
    remaining: list[PhotoJob] = []
    failed: list[PictureRecord] = []
    for job in jobs:
        name = names[job]
        record = history.records.get(name)
        again = replace(job, replaces=name in history.own)
        if record is None:
            remaining.append(job)
        elif _is_changed(job, record):
            remaining.append(again)
        elif record.state == "failed" and not options.retry_failed:
            failed.append(record)
        elif record.state != "done" or not _has_result(job, stored):
            # What it began may have been placed before the process was killed.
            remaining.append(again)
    done = len(jobs) - len(remaining) - len(failed)
    return RemainingJobs(tuple(remaining), done, tuple(failed))


def target_name(job: PhotoJob, results: Location) -> str:
    """Return the path of a job's result in the folder of the results, with slashes."""
    if isinstance(job.target, StoredFile) and isinstance(results, StoredFile):
        return job.target.relative_to(results).as_posix()
    assert isinstance(job.target, Path)
    assert isinstance(results, Path)
    return Path(os.path.relpath(job.target, results)).as_posix()


def _has_result(job: PhotoJob, stored: Collection[Location]) -> bool:
    """Return whether a job's result is there; `stored` are those that are in a store."""
    target = job.target
    return target in stored if isinstance(target, StoredFile) else target.is_file()


def _is_changed(job: PhotoJob, record: PictureRecord) -> bool:
    """Return whether a source is another than when its record was made."""
    if job.source == STREAM or source_state(job.source) == (record.size, record.mtime_ns):
        return False
    return not record.sha256 or current_sha256(job.source) != record.sha256
