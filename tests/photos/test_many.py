from collections.abc import Sequence
from pathlib import Path

import pytest

from matte.configs.loader import merge_settings
from matte.errors import MatteError, PictureError, SettingError
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.photos.many import RunSummary, estimate_seconds, plan_run, run_recorded
from matte.photos.resuming import ResumeOptions
from matte.photos.run_file import RunFile, read_run_file
from tests import fakes
from tests.conftest import disc, save

PIPELINE = fakes.build(merge_settings("fast", flags={"k": 3, "iterations": 2}))


@pytest.fixture
def jobs(tmp_path: Path) -> list[PhotoJob]:
    """Three photos, the second of which is none."""
    (tmp_path / "in").mkdir()
    for name in ("a.png", "c.png"):
        save(tmp_path / "in" / name, disc(40, 50)[0])
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    (tmp_path / "out").mkdir()
    return [
        PhotoJob(tmp_path / "in" / n, tmp_path / "out" / n) for n in ("a.png", "b.png", "c.png")
    ]


def make_batch(jobs: Sequence[PhotoJob]) -> Batch:
    return Batch(jobs, FinishOptions())


def test_a_run_leaves_a_record_of_each_picture(jobs: list[PhotoJob], tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcomes = list(run_recorded(make_batch(jobs), PIPELINE, RunFile(out, {"k": 3}), out))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    records = read_run_file(out).records
    assert {name: record.state for name, record in records.items()} == {
        "a.png": "done",
        "b.png": "failed",
        "c.png": "done",
    }
    assert "not a readable picture" in records["b.png"].cause
    assert records["a.png"].sha256
    again = plan_run(jobs, ResumeOptions(resume=True), out, {"k": 3})
    assert (again.jobs, again.done_before, len(again.failed_before)) == ((), 2, 1)
    with pytest.raises(SettingError, match="k was 3 and is 5"):
        plan_run(jobs, ResumeOptions(resume=True), out, {"k": 5})


def test_another_ones_file_stays_however_often_a_run_is_gone_on_with(
    jobs: list[PhotoJob], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "a.png").write_bytes(b"mine")
    found = list(run_recorded(make_batch(jobs), PIPELINE, RunFile(out, {}), out))
    assert "exists" in str(found[0].error)
    again = plan_run(jobs, ResumeOptions(retry_failed=True), out, {})
    assert [(job.target.name, job.replaces) for job in again.jobs] == [
        ("a.png", False),
        ("b.png", True),
    ]
    for _ in run_recorded(make_batch(again.jobs), PIPELINE, RunFile(out, {}), out):
        pass
    assert (out / "a.png").read_bytes() == b"mine"


def test_without_a_folder_there_is_nothing_to_go_on_with(jobs: list[PhotoJob]) -> None:
    with pytest.raises(SettingError, match="name it with -o"):
        plan_run(jobs, ResumeOptions(resume=True), None, {})


def test_an_estimate_writes_nothing(jobs: list[PhotoJob], tmp_path: Path) -> None:
    assert estimate_seconds(jobs, make_batch, PIPELINE) > 0
    assert list((tmp_path / "out").iterdir()) == []


def test_equal_causes_are_counted_together() -> None:
    summary = RunSummary(done_before=4)
    for name in ("a.jpg", "b.jpg"):
        error: MatteError = PictureError(f"{name}: is broken", "send it again")
        summary.add(PhotoOutcome(PhotoJob(Path(name), Path("x")), error=error))
    summary.add(PhotoOutcome(PhotoJob(Path("c.jpg"), Path("x"))))
    assert str(summary).startswith("1 written (")
    assert str(summary).endswith("; 4 were there; 2 failed: is broken")
    assert (summary.failed, summary.count) == (2, 3)
