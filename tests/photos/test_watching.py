import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from matte.photos.jobs import PhotoJob, plan_jobs
from matte.photos.watching import FULL_LOOK_SECONDS, FolderWatch, arriving_batches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def watch(folder: Path, tmp_path: Path) -> FolderWatch:
    return FolderWatch([folder], lambda: plan_jobs([folder], tmp_path / "out", ".png"))


def names(jobs: Sequence[PhotoJob]) -> list[str]:
    return sorted(job.source.name for job in jobs)


def write(path: Path, data: bytes) -> None:
    """Writes a file; its time of change is another one each time."""
    path.parent.mkdir(exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_bytes(data)
    at = max(path.stat().st_mtime_ns, before + 1)
    os.utime(path, ns=(at, at))


def test_a_picture_is_done_once_it_is_whole(folder: Path, watch: FolderWatch) -> None:
    assert watch.ready_jobs(0) == []
    write(folder / "a.jpg", b"half")
    assert watch.ready_jobs(1) == []
    write(folder / "a.jpg", b"half and more")
    assert watch.ready_jobs(2) == []
    found = watch.ready_jobs(3)
    assert names(found) == ["a.jpg"]
    assert not found[0].replaces
    assert watch.ready_jobs(4) == []


def test_a_burst_and_folders_below_are_found(folder: Path, watch: FolderWatch) -> None:
    for number in range(1000):
        write(folder / f"{number % 7}" / f"{number}.png", b"x")
    assert watch.ready_jobs(0) == []
    assert len(watch.ready_jobs(1)) == 1000


def test_what_is_replaced_is_done_again_in_place_of_its_result(
    folder: Path, watch: FolderWatch
) -> None:
    write(folder / "a.jpg", b"one")
    watch.ready_jobs(0)
    assert names(watch.ready_jobs(1)) == ["a.jpg"]
    write(folder / "a.jpg", b"two, in place: the folder has not changed")
    assert watch.ready_jobs(2) == []
    later = 2 + FULL_LOOK_SECONDS
    assert watch.ready_jobs(later) == []
    (again,) = watch.ready_jobs(later + 1)
    assert again.replaces


def test_what_goes_again_or_is_moved_is_no_trouble(folder: Path, watch: FolderWatch) -> None:
    write(folder / "a.jpg", b"one")
    watch.ready_jobs(0)
    (folder / "a.jpg").rename(folder / "b.jpg")
    assert names(watch.ready_jobs(1)) == []
    assert names(watch.ready_jobs(2)) == ["b.jpg"]
    (folder / "b.jpg").unlink()
    folder.rmdir()
    assert watch.ready_jobs(3) == []


def test_empty_files_are_waited_for(folder: Path, watch: FolderWatch) -> None:
    write(folder / "a.jpg", b"")
    assert [watch.ready_jobs(n) for n in range(3)] == [[], [], []]


def test_batches_come_without_end(folder: Path, watch: FolderWatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        write(folder / f"{len(slept) // 3}.jpg", b"x")

    batches = arriving_batches(watch, sleep=sleep)
    assert names(next(batches)) == ["0.jpg"]
    assert names(next(batches)) == ["1.jpg"]
    assert len(slept) >= 4
