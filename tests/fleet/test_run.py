from pathlib import Path

import pytest

from matte.errors import BackendError, SettingError
from matte.fleet.request import FleetRequest
from matte.fleet.rows import ResultRow
from matte.fleet.run import MAX_LOSSES, FleetPlan, FleetRun, plan_fleet, rows_before
from matte.photos.jobs import PhotoJob
from matte.photos.resuming import ResumeOptions
from matte.photos.stored_run_file import StoredRunFile
from tests.fleet.clusters import (
    OwnCluster,
    WorkerDeathError,
    save_discs,
    store_discs,
    survive,
    variant,
)
from tests.stores.s3_server import S3Server

COUNT = 6


@pytest.fixture
def six(tmp_path: Path) -> FleetRequest:
    """Six photos."""
    return FleetRequest(save_discs(tmp_path / "in", COUNT), (variant(tmp_path / "out"),))


def run(plan: FleetPlan, cluster: OwnCluster) -> tuple[FleetRun, list[ResultRow]]:
    """Runs a plan, and returns what became of each."""
    made = FleetRun(plan, cluster, workers=1)
    return made, list(made.rows())


def test_a_run_does_everything_once(six: FleetRequest, own_cluster: OwnCluster) -> None:
    plan = plan_fleet(six, ResumeOptions(), own_cluster)
    assert (plan.count, plan.waiting, len(plan.machines)) == (COUNT, COUNT, 1)
    made, rows = run(plan, own_cluster)
    assert sorted(row.target for row in rows) == [f"{n:02d}-matte.png" for n in range(COUNT)]
    assert {row.state for row in rows} == {"done"}
    assert (made.statistics.rounds, made.statistics.lost_blocks) == (1, 0)
    again = plan_fleet(six, ResumeOptions(resume=True), own_cluster)
    assert again.waiting == 0
    assert len(list(rows_before(again))) == COUNT
    assert list(rows_before(plan)) == []


def test_a_worker_that_dies_costs_nothing(six: FleetRequest, own_cluster: OwnCluster) -> None:
    died: set[PhotoJob] = set()

    def die_once_at_every_second(job: PhotoJob) -> None:
        if int(job.source.stem) % 2 and job.source not in {d.source for d in died}:
            died.add(job)
            raise WorkerDeathError

    own_cluster.on_photo = die_once_at_every_second
    made, rows = run(plan_fleet(six, ResumeOptions(), own_cluster), own_cluster)
    assert sorted(row.target for row in rows) == [f"{n:02d}-matte.png" for n in range(COUNT)]
    assert {row.state for row in rows} == {"done"}
    assert made.statistics.rounds == 2
    assert (made.statistics.lost_blocks, made.statistics.begun_again) == (3, 3)


def test_a_picture_that_ends_its_workers_fails_alone(
    six: FleetRequest, own_cluster: OwnCluster
) -> None:
    def die_at_the_fourth(job: PhotoJob) -> None:
        if job.source.stem == "03":
            raise WorkerDeathError

    own_cluster.on_photo = die_at_the_fourth
    made, rows = run(plan_fleet(six, ResumeOptions(), own_cluster), own_cluster)
    failed = [row for row in rows if row.state == "failed"]
    assert [row.target for row in failed] == ["03-matte.png"]
    assert f"{MAX_LOSSES} workers ended" in failed[0].cause
    assert made.statistics.rounds == MAX_LOSSES
    again = plan_fleet(six, ResumeOptions(resume=True), own_cluster)
    assert (again.waiting, len(again.remaining[""].failed_before)) == (0, 1)


def test_a_block_is_gone_on_with_in_parts(
    tmp_path: Path, own_cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.fleet.items.BLOCKS_PER_WORKER", 1)
    request = FleetRequest(save_discs(tmp_path / "in", COUNT), (variant(tmp_path / "out"),))
    died: list[str] = []

    def die_once(job: PhotoJob) -> None:
        if job.source.stem == "04" and not died:
            died.append("04")
            raise WorkerDeathError

    own_cluster.on_photo = die_once
    _, rows = run(plan_fleet(request, ResumeOptions(), own_cluster), own_cluster)
    assert sorted(row.target for row in rows) == [f"{n:02d}-matte.png" for n in range(COUNT)]
    # 03 was being written, 04 matted, and 05 not begun.
    assert [len(names) for names in own_cluster.rounds] == [1, 3]


def test_a_worker_that_is_killed_loses_nothing_in_a_store(
    s3: S3Server, own_cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did since it wrote its records last is done again, and may replace what it left."""
    monkeypatch.setattr("matte.fleet.items.BLOCKS_PER_WORKER", 1)
    killing = pytest.MonkeyPatch()
    killing.setattr(StoredRunFile, "__exit__", lambda *_: None)
    source = store_discs(s3, COUNT)
    request = FleetRequest(source, (variant(source.with_name("out")),))

    def die_at_the_fifth(job: PhotoJob) -> None:
        if job.source.stem == "04":
            killing.undo()
            own_cluster.on_photo = survive
            raise WorkerDeathError

    own_cluster.on_photo = die_at_the_fifth
    made, rows = run(plan_fleet(request, ResumeOptions(), own_cluster), own_cluster)
    assert sorted(row.target for row in rows) == [f"{n:02d}-matte.png" for n in range(COUNT)]
    assert {row.state for row in rows} == {"done"}
    assert [len(names) for names in own_cluster.rounds] == [1, COUNT]
    assert made.statistics.begun_again == COUNT
    again = plan_fleet(request, ResumeOptions(resume=True), own_cluster)
    assert again.waiting == 0
    assert len(list(rows_before(again))) == COUNT


def test_workers_that_never_answer_end_the_run(six: FleetRequest, own_cluster: OwnCluster) -> None:
    plan = plan_fleet(six, ResumeOptions(), own_cluster)
    own_cluster.lost_rounds = 2
    assert len(run(plan, own_cluster)[1]) == COUNT
    own_cluster.rounds.clear()
    own_cluster.lost_rounds = 99
    with pytest.raises(BackendError, match="nobody is there"):
        run(plan, own_cluster)


def test_variants_have_folders_of_their_own(tmp_path: Path, own_cluster: OwnCluster) -> None:
    variants = tuple(variant(tmp_path / "out" / name, name) for name in ("fast", "best"))
    request = FleetRequest(save_discs(tmp_path / "in", 2), variants)
    _, rows = run(plan_fleet(request, ResumeOptions(), own_cluster), own_cluster)
    assert {(row.variant, row.target) for row in rows} == {
        (name, f"{n:02d}-matte.png") for name in ("fast", "best") for n in range(2)
    }
    assert (tmp_path / "out" / "best" / "01-matte.png").is_file()


def test_what_can_not_work_is_refused_before_it_begins(
    six: FleetRequest, own_cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.fleet.checks.choose_executions", lambda *_: {})
    own_cluster.answer = SettingError("no such network", "store it")
    with pytest.raises(SettingError, match="no such network"):
        plan_fleet(six, ResumeOptions(), own_cluster)
    mixed = plan_fleet(six, ResumeOptions(), own_cluster, is_mixed=True)
    assert mixed.request.variants[0].executions is None
    assert "executions" not in mixed.request.fingerprints[""]
