from pathlib import Path

import pytest

from matte.errors import PictureError
from matte.fleet.items import MAX_BLOCK_JOBS, find_jobs, is_clip, make_blocks
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.stores.stored_file import stored_file
from tests.fleet.clusters import save_discs, variant
from tests.stores.s3_server import S3Server


def test_photos_and_clips_keep_their_folders(tmp_path: Path) -> None:
    source, out = save_discs(tmp_path / "in" / "a", 1).parent, tmp_path / "out"
    for name in ("talk.mp4", "talk.mov", "talk-matte.mov"):
        (source / name).write_bytes(b"")
    found = find_jobs(source, variant(out))
    targets = [on_disk(job.target).relative_to(out).as_posix() for job in found]
    assert targets == ["a/00-matte.png", "talk.mov-matte.mov", "talk.mp4-matte.mov"]
    assert [is_clip(job) for job in found] == [False, True, True]
    assert all(job.makes_folder for job in found)


def test_a_single_file_is_a_job(tmp_path: Path) -> None:
    photo, out = save_discs(tmp_path, 1) / "00.png", tmp_path / "out"
    assert [job.target for job in find_jobs(photo, variant(out))] == [out / "00-matte.png"]
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"")
    assert [job.target for job in find_jobs(clip, variant(out))] == [out / "a-matte.mov"]


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures or videos"):
        find_jobs(tmp_path, variant(tmp_path / "out"))


def test_blocks_are_small_enough_for_all_workers() -> None:
    jobs = [PhotoJob(Path(f"{n}.jpg"), Path(f"{n}.png")) for n in range(5000)]
    clip = PhotoJob(Path("a.mp4"), Path("a.mov"))
    few = make_blocks([("", jobs[:10]), ("best", [*jobs[:3], clip])], workers=2)
    assert [len(block.jobs) for block in few] == [1] * 14
    assert [block.variant for block in few] == [""] * 10 + ["best"] * 4
    assert few[10].jobs == (clip,)  # the longest begin first
    many = make_blocks([("", jobs)], workers=2)
    assert max(len(block.jobs) for block in many) == MAX_BLOCK_JOBS
    assert sum(len(block.jobs) for block in many) == len(jobs)
    assert len({block.name for block in many}) == len(many)


def test_the_parts_of_a_block_are_found_by_its_name() -> None:
    jobs = [PhotoJob(Path(f"{n}.jpg"), Path(f"{n}.png")) for n in range(200)]
    whole = make_blocks([("", jobs)], workers=1, run="run")[1]
    assert whole.name == "run-0000001"
    first, last = whole.parts([whole.jobs[0], whole.jobs[2]])
    assert first.name != last.name
    assert all(part.name.startswith(whole.name) for part in (first, last))
    assert [part.jobs for part in (first, last)] == [whole.jobs[:1], whole.jobs[2:3]]


def test_a_store_holds_photos_and_clips(s3: S3Server) -> None:
    for name in ("a/00.png", "a/talk.mp4", "b.jpg", "note.txt"):
        s3.put("bucket", f"in/{name}", b"")
    source, out = stored_file("s3://bucket/in"), stored_file("s3://bucket/out")
    found = find_jobs(source, variant(out))
    assert [str(job.target) for job in found] == [
        f"s3://bucket/out/{name}" for name in ("a/00-matte.png", "b-matte.png", "a/talk-matte.mov")
    ]
    assert [is_clip(job) for job in found] == [False, False, True]
    for name, target in (("b.jpg", "b-matte.png"), ("a/talk.mp4", "talk-matte.mov")):
        assert [job.target for job in find_jobs(source / name, variant(out))] == [out / target]
    with pytest.raises(PictureError, match="no pictures or videos in s3://bucket/none"):
        find_jobs(stored_file("s3://bucket/none"), variant(out))
