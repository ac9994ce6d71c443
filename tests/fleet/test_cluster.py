"""Workers of a Ray cluster on this machine, killed in the middle of runs."""

import importlib
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matte.errors import BackendError, SettingError
from matte.fleet.cluster import RayCluster, WorkerSize, import_ray
from matte.imaging.resizing import resize
from matte.media.pictures import read_image
from matte.photos.run_file import RUN_FOLDER
from tests.commands import run
from tests.conftest import SAMPLE, save
from tests.fleet import ray_clusters
from tests.fleet.ray_clusters import (
    LocalCluster,
    actors_below,
    end_fleet,
    results,
    start_fleet,
    wait_for,
)
from tests.media.clips import clip
from tests.stores.s3_server import Fault, S3Server

ROOT = Path(__file__).parents[2]
# Ray leaves files open, and processes unasked for: whichever test the collector runs in would fail.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
QUICK = ("--preset", "fast", "--backend", "onnx", "--precision", "fp32")
COUNT = 16


def test_without_ray_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(BackendError, match=r"\.\[fleet\]"):
        import_ray()
    done = run("fleet", tmp_path, tmp_path / "out")
    assert done.exit_code == 1
    assert "needs Ray Data" in done.stderr


def test_one_module_alone_imports_ray() -> None:
    pattern = re.compile(r"""^\s*(import|from) ray\b|import_module\(["']ray""", re.MULTILINE)
    named = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "matte").rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    }
    assert named == {"matte/fleet/cluster.py"}


def test_a_cluster_that_does_not_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class BusyRay:
        def init(self, **_: object) -> None:
            raise Exception("The current node timed out.\nThis could happen")  # Ray

    monkeypatch.setattr("matte.fleet.cluster.import_ray", BusyRay)
    with (
        pytest.raises(
            BackendError, match=r"no Ray cluster at this machine \(The .* out\.\): start"
        ),
        RayCluster(WorkerSize(1)),
    ):
        pass


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with ray_clusters.local_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of portraits, each of another height."""
    folder = tmp_path_factory.mktemp("photos")
    portrait = read_image(SAMPLE)
    for number in range(COUNT):
        save(folder / f"{number:02d}.jpg", resize(portrait, 160 + number, 140))
    return folder


@pytest.fixture(scope="module")
def alone(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of one process, by name."""
    out = tmp_path_factory.mktemp("alone") / "out"
    subprocess.run(
        [sys.executable, "-m", "matte", "image", str(photos), "-o", str(out), "-q", *QUICK],
        check=True,
        capture_output=True,
    )
    return results(out)


def counts(out: Path, state: str) -> Counter[str]:
    """Returns how many lines of a run file say so of each result."""
    lines = [
        json.loads(line)
        for segment in (out / RUN_FOLDER).glob("*.jsonl")
        for line in segment.read_text().splitlines()
    ]
    return Counter(line["target"] for line in lines if line.get("state") == state)


def assert_nothing_is_twice(out: Path, killed: int) -> None:
    """Nothing was done twice; what was begun twice was in flight, two pictures of each process."""
    assert set(counts(out, "done").values()) == {1}
    began = counts(out, "began")
    assert began.total() - len(began) <= 2 * killed


def some_are_done(out: Path, wanted: int) -> Callable[[], bool]:
    return lambda: len(list(out.glob("*.png"))) >= wanted


@pytest.mark.fleet
def test_workers_on_this_machine_make_what_one_process_makes(
    photos: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(photos, source)
    (source / "torn.jpg").write_bytes(b"no picture")
    process = start_fleet(source, out, "--workers", "2", *QUICK)
    printed, written = process.communicate(timeout=ray_clusters.LIMIT_SECONDS)
    assert process.returncode == 1
    assert results(out) == alone
    assert sorted(printed.split()) == sorted(str(out / name) for name in alone)
    assert f"{COUNT} written (" in written
    assert f"1 of {COUNT + 1} failed" in written
    assert "segmenter subject-light on onnx cpu fp32" in written
    assert "ray" not in printed
    (file,) = out.glob("fleet-*.parquet")
    table = importlib.import_module("pyarrow.parquet").read_table(file)
    assert Counter(table["state"].to_pylist()) == {"done": COUNT, "failed": 1}
    assert len(set(table["process"].to_pylist())) == 2
    assert_nothing_is_twice(out, killed=0)
    again = start_fleet(
        source, out, "--workers", "2", "--resume", "--table", out / "b.parquet", *QUICK
    )
    assert f"{COUNT} were there" in again.communicate(timeout=ray_clusters.LIMIT_SECONDS)[1]


@pytest.mark.fleet
@pytest.mark.parametrize("wanted", [1, 7])
def test_a_killed_worker_costs_nothing(
    cluster: LocalCluster, photos: Path, alone: dict[str, bytes], tmp_path: Path, wanted: int
) -> None:
    cluster.fill_up()
    out = tmp_path / "out"
    process = start_fleet(photos, out, "--address", cluster.address, *QUICK)
    wait_for(some_are_done(out, wanted), process)
    os.kill(cluster.actors()[0], signal.SIGKILL)
    end_fleet(process)
    assert results(out) == alone
    assert_nothing_is_twice(out, killed=1)


@pytest.mark.fleet
def test_a_killed_machine_costs_nothing(
    cluster: LocalCluster, photos: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    cluster.fill_up()
    out = tmp_path / "out"
    process = start_fleet(photos, out, "--address", cluster.address, *QUICK)
    wait_for(some_are_done(out, 4), process)
    cluster.kill_machine()
    end_fleet(process)
    assert results(out) == alone
    assert_nothing_is_twice(out, killed=1)


@pytest.mark.fleet
def test_a_killed_driver_is_gone_on_after(
    cluster: LocalCluster, photos: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    cluster.fill_up()
    out = tmp_path / "out"
    process = start_fleet(photos, out, "--address", cluster.address, *QUICK)
    wait_for(some_are_done(out, 4), process)
    process.kill()
    _, written = process.communicate()
    assert process.returncode == -signal.SIGKILL, written
    again = start_fleet(photos, out, "--address", cluster.address, "--resume", *QUICK)
    assert "were there" in end_fleet(again)
    assert results(out) == alone
    assert_nothing_is_twice(out, killed=2)


@pytest.mark.fleet
def test_a_store_that_fails_and_a_killed_worker_cost_no_picture(
    s3: S3Server, photos: Path, alone: dict[str, bytes]
) -> None:
    """Of all calls 5 % fail, each in another way than the one before."""
    for path in photos.iterdir():
        s3.put("bucket", f"in/{path.name}", path.read_bytes())
    faults: Iterator[Fault] = itertools.cycle(("slow down", "cut", "lost", "truncate"))
    calls = itertools.count(1)
    s3.fault = lambda _: next(faults) if next(calls) % 20 == 0 else None

    def found() -> dict[str, bytes]:
        names = [name for name in s3.names("bucket", "out/") if name.endswith(".png")]
        return {name.removeprefix("out/"): s3.data("bucket", name) for name in names}

    process = start_fleet("s3://bucket/in", "s3://bucket/out", "--workers", "2", *QUICK)
    wait_for(lambda: len(found()) >= 4, process)
    os.kill(actors_below(process.pid)[0], signal.SIGKILL)
    written = end_fleet(process)
    assert found() == alone
    assert f"{COUNT} written (" in written
    assert "to the store made again" in written
    (name,) = (name for name in s3.names("bucket", "out/") if name.endswith(".parquet"))
    table = importlib.import_module("pyarrow.parquet").read_table(
        io.BytesIO(s3.data("bucket", name))
    )
    assert table["source"].to_pylist()[0].startswith("s3://bucket/in/")
    assert sum(table["retries"].to_pylist()) > 0


@pytest.mark.fleet
def test_a_program_outside_the_cluster_makes_the_same(
    cluster: LocalCluster, photos: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    cluster.fill_up()
    out = tmp_path / "out"
    end_fleet(start_fleet(photos, out, "--address", cluster.client_address, *QUICK))
    assert results(out) == alone


@pytest.mark.fleet
def test_variants_and_clips(cluster: LocalCluster, photos: Path, tmp_path: Path) -> None:
    cluster.fill_up()
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    shutil.copy(photos / "00.jpg", source)
    clip(source / "talk.mp4")
    own = tmp_path / "own.toml"
    own.write_text('preset = "fast"\n[refiner]\nrefiner = "guided"\n')
    words = ("--variant", "fast", "--variant", str(own), *QUICK[2:])
    end_fleet(start_fleet(source, out, "--address", cluster.address, *words))
    found = results(out)
    assert sorted(found) == [
        f"{name}/{file}" for name in ("fast", "own") for file in ("00-matte.png", "talk-matte.mov")
    ]
    assert found["fast/00-matte.png"] != found["own/00-matte.png"]
    done = run("video", source / "talk.mp4", "-o", tmp_path / "talk.mov", *QUICK)
    assert done.exit_code == 0
    assert (tmp_path / "talk.mov").read_bytes() == found["fast/talk-matte.mov"]


@pytest.mark.fleet
def test_more_workers_than_there_is_room_for_are_refused(cluster: LocalCluster) -> None:
    with (
        pytest.raises(SettingError, match="room for 2 workers of 1 processors"),
        RayCluster(WorkerSize(9), cluster.address),
    ):
        pass


@pytest.mark.fleet
def test_a_cluster_that_is_not_there_is_an_error() -> None:
    with (
        pytest.raises(BackendError, match="no Ray cluster at"),
        RayCluster(WorkerSize(), f"127.0.0.1:{ray_clusters.free_port()}"),
    ):
        pass
