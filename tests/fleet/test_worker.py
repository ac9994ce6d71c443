from dataclasses import replace
from pathlib import Path

import pytest

from matte.compositing.backgrounds import PictureFile
from matte.fleet.items import find_jobs, make_blocks
from matte.fleet.request import FleetRequest
from matte.fleet.worker import BlockWorker
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.photos.run_file import read_run_file
from tests.fleet.clusters import OwnCluster, WorkerDeathError, save_discs, store_discs, variant
from tests.media.clips import clip
from tests.stores.s3_server import Call, Fault, S3Server


@pytest.fixture
def request_of_three(tmp_path: Path) -> FleetRequest:
    """Three photos, the second of which is none."""
    source = save_discs(tmp_path / "in", 3)
    (source / "01.png").write_bytes(b"no picture")
    made = variant(tmp_path / "out")
    return FleetRequest(source, (made,)).with_executions({"": {}})


def test_a_bad_picture_costs_itself_only(
    request_of_three: FleetRequest, own_cluster: OwnCluster
) -> None:
    made = request_of_three.variants[0]
    (block,) = make_blocks([("", find_jobs(request_of_three.source, made)[:1])], 1, "run")
    block = replace(block, jobs=tuple(find_jobs(request_of_three.source, made)))
    rows = BlockWorker(request_of_three).rows(block)
    assert [row.state for row in rows] == ["done", "failed", "done"]
    assert "not a readable picture" in rows[1].cause
    assert [row.width for row in rows] == [50, None, 50]
    assert rows[0].machine
    assert rows[0].process
    records = read_run_file(made.results, block.name).records
    assert {name: record.state for name, record in records.items()} == {
        "00-matte.png": "done",
        "01-matte.png": "failed",
        "02-matte.png": "done",
    }


def test_what_another_worker_has_done_of_a_block_stays(
    request_of_three: FleetRequest, own_cluster: OwnCluster
) -> None:
    made = request_of_three.variants[0]
    jobs = tuple(find_jobs(request_of_three.source, made))
    block = replace(make_blocks([("", jobs[:1])], 1, "run")[0], jobs=jobs)

    def die_at_the_last(job: PhotoJob) -> None:
        if job == jobs[2]:
            raise WorkerDeathError

    own_cluster.on_photo = die_at_the_last
    with pytest.raises(WorkerDeathError):
        BlockWorker(request_of_three).rows(block)
    written = on_disk(jobs[0].target).stat().st_mtime_ns
    own_cluster.on_photo = lambda _: None
    rows = BlockWorker(request_of_three).rows(block)
    assert sorted((row.target, row.state) for row in rows) == [
        ("00-matte.png", "done"),
        ("01-matte.png", "failed"),
        ("02-matte.png", "done"),
    ]
    assert on_disk(jobs[0].target).stat().st_mtime_ns == written


def test_a_background_that_is_gone_fails_each_picture(
    request_of_three: FleetRequest, own_cluster: OwnCluster, tmp_path: Path
) -> None:
    finish = FinishOptions(PictureFile(tmp_path / "beach.jpg"))
    made = replace(request_of_three.variants[0], finish=finish)
    request = replace(request_of_three, variants=(made,))
    jobs = find_jobs(request.source, made)
    rows = [
        row for block in make_blocks([("", jobs)], 1) for row in BlockWorker(request).rows(block)
    ]
    assert [row.state for row in rows] == ["failed"] * 3
    assert "beach.jpg" in rows[0].cause


def test_a_clip_is_rendered_as_matte_video_does_it(tmp_path: Path, own_cluster: OwnCluster) -> None:
    (tmp_path / "in").mkdir()
    clip(tmp_path / "in" / "talk.mp4")
    (tmp_path / "in" / "torn.mp4").write_bytes(b"no video")
    made = variant(tmp_path / "out")
    request = FleetRequest(tmp_path / "in", (made,), has_clips=True).with_executions({"": {}})
    blocks = make_blocks([("", find_jobs(request.source, made))], 1)
    rows = [row for block in blocks for row in BlockWorker(request).rows(block)]
    assert [(row.target, row.state) for row in rows] == [
        ("talk-matte.mov", "done"),
        ("torn-matte.mov", "failed"),
    ]
    assert (tmp_path / "out" / "talk-matte.mov").is_file()
    assert '"frames": ' in rows[0].report


def test_photos_and_clips_of_a_store(s3: S3Server, own_cluster: OwnCluster, tmp_path: Path) -> None:
    """Every fourth call fails; what is done is not done again, and little is asked for it."""
    source = store_discs(s3, 2)
    clip(tmp_path / "talk.mp4")
    s3.put("bucket", "in/talk.mp4", (tmp_path / "talk.mp4").read_bytes())
    made = variant(source.with_name("out"))
    request = FleetRequest(source, (made,), has_clips=True).with_executions({"": {}})
    video, *blocks = make_blocks([("", find_jobs(source, made))], 1)
    worker, calls = BlockWorker(request), 0

    def fail_every_fourth(_: Call) -> Fault | None:
        nonlocal calls
        calls += 1
        return "slow down" if calls % 4 == 0 else None

    s3.fault = fail_every_fourth
    rows = [row for block in (*blocks, video) for row in worker.rows(block)]
    s3.fault = lambda _: None
    assert [(row.target, row.state) for row in rows] == [
        ("00-matte.png", "done"),
        ("01-matte.png", "done"),
        ("talk-matte.mov", "done"),
    ]
    assert sum(row.retries for row in rows) == calls // 4
    asked = s3.calls.copy()
    assert [row.state for block in (*blocks, video) for row in worker.rows(block)] == ["done"] * 3
    # A list of the block's own records and its records; nothing is read, matted or listed besides.
    done = s3.calls - asked
    assert done["put"] == 0
    assert done["list"] == 3
    local = FleetRequest(tmp_path, (variant(tmp_path),), has_clips=True).with_executions({"": {}})
    (block,) = make_blocks([("", find_jobs(tmp_path, local.variants[0]))], 1)
    assert [row.state for row in BlockWorker(local).rows(block)] == ["done"]
    rendered = (tmp_path / "talk-matte.mov").read_bytes()
    assert s3.data("bucket", "out/talk-matte.mov") == rendered
