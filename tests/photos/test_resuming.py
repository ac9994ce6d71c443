import os
from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.files import file_facts
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.photos.resuming import ResumeOptions, remaining_jobs
from matte.photos.run_file import PictureRecord, RunHistory, State, source_state

RESUME = ResumeOptions(resume=True)


@pytest.fixture
def job(tmp_path: Path) -> PhotoJob:
    source = tmp_path / "a.jpg"
    source.write_bytes(b"picture")
    (tmp_path / "out").mkdir()
    return PhotoJob(source, tmp_path / "out" / "a.png", makes_folder=True)


def history(job: PhotoJob, state: State) -> RunHistory:
    """Returns a run file's content after this job."""
    digest = "" if state == "began" else file_facts(on_disk(job.source))["sha256"]
    record = PictureRecord("a.png", state, "a.jpg", *source_state(job.source), 1.0, 2, digest)
    return RunHistory({"a.png": record}, own={"a.png"})


def left(job: PhotoJob, options: ResumeOptions, known: RunHistory) -> tuple[int, int, bool]:
    """Returns how many are to be done and had failed, and whether the result may be replaced."""
    found = remaining_jobs([job], options, job.target.parent, known)
    replaces = any(each.replaces for each in found.jobs)
    return len(found.jobs), len(found.failed_before), replaces


def test_what_is_done_is_not_done_again(job: PhotoJob) -> None:
    on_disk(job.target).touch()
    assert left(job, RESUME, history(job, "done")) == (0, 0, False)
    assert left(job, ResumeOptions(), history(job, "done")) == (1, 0, False)


def test_a_result_that_is_gone_is_made_again(job: PhotoJob) -> None:
    assert left(job, RESUME, history(job, "done")) == (1, 0, True)


def test_what_was_in_flight_is_done_again_over_what_it_left(job: PhotoJob) -> None:
    on_disk(job.target).touch()
    assert left(job, RESUME, history(job, "began")) == (1, 0, True)


def test_a_file_that_no_run_knows_is_not_replaced(job: PhotoJob) -> None:
    on_disk(job.target).touch()
    assert left(job, RESUME, RunHistory()) == (1, 0, False)


def test_failures_are_tried_again_only_if_asked(job: PhotoJob) -> None:
    assert left(job, RESUME, history(job, "failed")) == (0, 1, False)
    assert left(job, ResumeOptions(retry_failed=True), history(job, "failed")) == (1, 0, True)


def test_a_file_that_no_run_made_is_not_replaced_because_of_a_failure(job: PhotoJob) -> None:
    on_disk(job.target).touch()
    known = RunHistory(history(job, "failed").records)
    assert left(job, ResumeOptions(retry_failed=True), known) == (1, 0, False)
    on_disk(job.source).write_bytes(b"another")
    assert left(job, RESUME, known) == (1, 0, False)


def test_a_changed_source_is_done_again_and_a_touched_one_is_not(job: PhotoJob) -> None:
    known = history(job, "done")
    on_disk(job.target).touch()
    os.utime(on_disk(job.source), (1, 1))
    assert left(job, RESUME, known) == (0, 0, False)
    on_disk(job.source).write_bytes(b"another")
    assert left(job, RESUME, known) == (1, 0, True)


def test_existing_results_are_skipped(job: PhotoJob) -> None:
    skip = ResumeOptions(skip_existing=True)
    assert left(job, skip, RunHistory()) == (1, 0, False)
    on_disk(job.target).touch()
    assert left(job, skip, RunHistory()) == (0, 0, False)


def test_two_ways_exclude_each_other() -> None:
    with pytest.raises(SettingError, match="--skip-existing looks at files"):
        ResumeOptions(resume=True, skip_existing=True)
