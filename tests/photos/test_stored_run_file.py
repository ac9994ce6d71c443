"""A run file in a bucket: small segments, each written once, that together say what a file does."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.configs.loader import merge_settings
from matte.errors import OutputError
from matte.photos import stored_run_file
from matte.photos.batch import Batch
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob, plan_jobs
from matte.photos.many import plan_run, run_recorded
from matte.photos.resuming import ResumeOptions
from matte.photos.run_file import RUN_FOLDER, PictureRecord, RunFile, State, read_run_file
from matte.photos.stored_run_file import StoredRunFile, open_run_file
from matte.stores.s3 import S3Store
from matte.stores.s3_clients import CallTimes
from matte.stores.stored_file import StoredFile
from tests import fakes
from tests.conftest import disc
from tests.stores.s3_server import Call, Fault, S3Server

PIPELINE = fakes.build(merge_settings("fast", flags={"k": 3, "iterations": 2}))


def record(number: int, state: State = "done") -> PictureRecord:
    return PictureRecord(f"{number}.png", state, f"{number}.jpg", 1, 2, float(number + 1))


@pytest.fixture
def out(s3: S3Server) -> StoredFile:
    """The folder for results, in the server's bucket."""
    return StoredFile(S3Store("bucket", "", CallTimes(first_wait=0.002)), "out")


@pytest.fixture
def jobs(s3: S3Server, out: StoredFile) -> list[PhotoJob]:
    """Seven photos in the bucket, the last of which is none."""
    data = io.BytesIO()
    Pillow.fromarray(np.asarray(disc(40, 50)[0])).save(data, "png")
    for number in range(6):
        s3.put("bucket", f"in/{number}.png", data.getvalue())
    s3.put("bucket", "in/6.png", b"no picture")
    return plan_jobs([out.with_name("in")], out, ".png")


def segments(s3: S3Server) -> list[str]:
    return s3.names("bucket", f"out/{RUN_FOLDER}/")


def run(jobs: Sequence[PhotoJob], out: StoredFile) -> list[str]:
    """Runs the jobs; returns the errors."""
    batch = Batch(jobs, FinishOptions())
    found = run_recorded(batch, PIPELINE, open_run_file(out, {"k": 3}), out)
    return [str(outcome.error) for outcome in found if outcome.error is not None]


def test_segments_are_few_and_read_together(s3: S3Server, out: StoredFile) -> None:
    for start in (0, 10):
        with StoredRunFile(out, {"k": 3}) as file:
            for number in range(start, start + 10):
                file.add(record(number))
            assert len(segments(s3)) == start // 10
    assert len(segments(s3)) == 2
    found = read_run_file(out)
    assert found.records == {f"{n}.png": record(n) for n in range(20)}
    assert found.fingerprint == {"k": 3}
    with StoredRunFile(out, {"k": 3}):
        pass
    assert len(segments(s3)) == 2, "a run without pictures leaves nothing"


def test_a_segments_records_are_read_without_others(s3: S3Server, out: StoredFile) -> None:
    for number, segment in enumerate(("", "one", "one.0001", "two")):
        with open_run_file(out, {}, segment) as file:
            file.add(record(number))
    s3.calls.clear()
    assert read_run_file(out, "one").records == {"1.png": record(1)}
    assert (s3.calls["list"], s3.calls["get"]) == (1, 1)
    assert len(read_run_file(out).records) == 4


def test_time_writes_a_segment_too(
    s3: S3Server, out: StoredFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_run_file, "MAX_UNWRITTEN_SECONDS", 0.0)
    with StoredRunFile(out, {}) as file:
        file.add(record(0, "began"))
        assert segments(s3) == []
        file.add(record(0))
        assert len(segments(s3)) == 1
        file.add(record(1))
        assert len(segments(s3)) == 2
    assert s3.calls["put"] == 2


def test_each_kind_of_folder_has_its_run_file(out: StoredFile, tmp_path: Path) -> None:
    assert isinstance(open_run_file(tmp_path, {}), RunFile)
    assert isinstance(open_run_file(out, {}), StoredRunFile)


def test_a_store_that_refuses_it_ends_the_run(
    s3: S3Server, out: StoredFile, jobs: list[PhotoJob]
) -> None:
    def fault(call: Call) -> Fault | None:
        return "slow down" if RUN_FOLDER in call.key else None

    s3.fault = fault
    with pytest.raises(OutputError, match=r"can't write the run file: .*SlowDown.*: try again"):
        run(jobs, out)
    assert s3.names("bucket", "out/") == [], "nothing that no run file knows"


def test_a_run_from_store_to_store_is_gone_on_with(
    s3: S3Server, out: StoredFile, jobs: list[PhotoJob]
) -> None:
    assert run(jobs[:3], out) == []
    assert len(segments(s3)) == 2
    again = plan_run(jobs, ResumeOptions(resume=True), out, {"k": 3})
    assert (len(again.jobs), again.done_before) == (4, 3)
    (error,) = run(again.jobs, out)
    assert "6.png is not a readable picture" in error
    results = [f"out/{n}-matte.png" for n in range(6)]
    assert s3.names("bucket", "out/")[4:] == results
    whole = read_run_file(out).records
    assert all(row.sha256 and row.size for row in whole.values())
    again = plan_run(jobs, ResumeOptions(resume=True), out, {"k": 3})
    assert (again.jobs, again.done_before, len(again.failed_before)) == ((), 6, 1)
    # A result that is gone, a source that is another, one that was written again as it was.
    del s3.buckets["bucket"][results[0]]
    s3.put("bucket", "in/1.png", s3.data("bucket", "in/2.png") + b" ", modified=1.7e9)
    s3.put("bucket", "in/3.png", s3.data("bucket", "in/3.png"), modified=1.7e9)
    listed = plan_jobs([out.with_name("in")], out, ".png")
    again = plan_run(listed, ResumeOptions(resume=True), out, {"k": 3})
    assert [(job.source.name, job.replaces) for job in again.jobs] == [
        ("0.png", True),
        ("1.png", True),
    ]
    assert run(again.jobs, out) == []


@pytest.mark.parametrize("done", [0, 2, 5])
def test_what_a_killed_run_left_is_replaced_and_what_others_left_is_not(
    s3: S3Server, out: StoredFile, jobs: list[PhotoJob], done: int
) -> None:
    s3.put("bucket", "out/4-matte.png", b"theirs")
    batch = Batch(jobs[:6], FinishOptions())
    file = open_run_file(out, {"k": 3})
    outcomes = run_recorded(batch, PIPELINE, file, out)
    for _ in range(done):
        next(outcomes)
    next(outcomes)
    file.flush = lambda: None  # type: ignore[method-assign]  # the process is killed now
    del outcomes
    again = plan_run(jobs[:6], ResumeOptions(resume=True), out, {"k": 3})
    (error,) = run(again.jobs, out)
    assert "4-matte.png exists" in error
    assert s3.data("bucket", "out/4-matte.png") == b"theirs"
    assert len(s3.names("bucket", "out/")) == len(segments(s3)) + 6
    again = plan_run(jobs[:6], ResumeOptions(retry_failed=True), out, {"k": 3})
    assert [(job.target.name, job.replaces) for job in again.jobs] == [("4-matte.png", False)]


def test_many_pictures_are_announced_together(
    s3: S3Server, out: StoredFile, jobs: list[PhotoJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoredRunFile, "announced", 3)
    run(jobs, out)
    texts = [s3.data("bucket", name).decode() for name in segments(s3)]
    assert [text.count('"began"') for text in texts] == [3, 3, 1, 0]
    assert sum(text.count('"done"') for text in texts) == 6
    assert sum(text.count('"failed"') for text in texts) == 1
