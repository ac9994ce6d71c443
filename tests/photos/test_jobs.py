import tempfile
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matte.errors import MatteError
from matte.files import STREAM
from matte.photos.jobs import PhotoJob, plan_jobs
from matte.photos.locations import on_disk
from tests.rights import without_root_rights


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def targets(jobs: list[PhotoJob], folder: Path) -> dict[str, str]:
    """By source, both below `folder`."""
    return {
        str(on_disk(j.source).relative_to(folder)): str(on_disk(j.target).relative_to(folder))
        for j in jobs
    }


def test_a_file_lands_beside_itself_or_where_it_is_told(tmp_path: Path) -> None:
    photo = Path("some/photo.jpg")
    assert plan_jobs([photo], None, ".png") == [PhotoJob(photo, Path("some/photo-matte.png"))]
    assert plan_jobs([photo], Path("out.tif"), ".png") == [PhotoJob(photo, Path("out.tif"))]
    assert plan_jobs([photo], tmp_path, ".webp") == [PhotoJob(photo, tmp_path / "photo-matte.webp")]
    assert plan_jobs([STREAM], None, ".png") == [PhotoJob(STREAM, STREAM)]
    assert plan_jobs([STREAM], tmp_path, ".png") == [PhotoJob(STREAM, tmp_path / "stdin-matte.png")]


def test_several_files_go_into_a_folder_that_is_made() -> None:
    out = Path("out")
    jobs = plan_jobs([Path("a.jpg"), Path("x/b.jpg"), STREAM], out, ".png")
    assert [job.target.name for job in jobs] == ["a-matte.png", "b-matte.png", "stdin-matte.png"]
    assert all(job.target.parent == out and job.makes_folder for job in jobs)
    beside = plan_jobs([Path("a.jpg"), Path("x/b.jpg")], None, ".png")
    assert [job.target for job in beside] == [Path("a-matte.png"), Path("x/b-matte.png")]
    assert not any(job.makes_folder for job in beside), "where there is no photo no folder is made"


def test_a_folders_tree_is_mirrored(tmp_path: Path) -> None:
    tree(tmp_path, "in/a.JPG", "in/x/y/b.png", "in/notes.txt", "in/.hidden.jpg", "in/.git/c.png")
    assert targets(plan_jobs([tmp_path / "in"], tmp_path / "out", ".png"), tmp_path) == {
        "in/a.JPG": "out/a-matte.png",
        "in/x/y/b.png": "out/x/y/b-matte.png",
    }
    tree(tmp_path, "other/a.jpg")
    both = plan_jobs([tmp_path / "in", tmp_path / "other"], tmp_path / "out", ".png")
    assert targets(both, tmp_path) == {
        "in/a.JPG": "out/in/a-matte.png",
        "in/x/y/b.png": "out/in/x/y/b-matte.png",
        "other/a.jpg": "out/other/a-matte.png",
    }


@pytest.mark.parametrize("ending", [".png", ".webp"])
@pytest.mark.parametrize("out", [None, "in", "in/out", "in/x", ".", "elsewhere"])
def test_rerunning_a_folder_does_not_matte_results(
    tmp_path: Path, out: str | None, ending: str
) -> None:
    """Whatever format they have, and also if another picture of the name has come since."""
    into = None if out is None else tmp_path / out
    tree(tmp_path, "in/a.jpg", "in/b.c.jpg", "in/b.c.png", "in/d/e.tif")
    first = plan_jobs([tmp_path / "in"], into, ".png")
    tree(tmp_path, *targets(first, tmp_path).values(), "in/a.png", "in/d/f.bmp")
    again = plan_jobs([tmp_path / "in"], into, ending)
    there = {"in/a.jpg", "in/a.png", "in/b.c.jpg", "in/b.c.png", "in/d/e.tif", "in/d/f.bmp"}
    assert targets(again, tmp_path).keys() == there


def test_names_that_share_a_stem_keep_their_endings(tmp_path: Path) -> None:
    tree(tmp_path, "a.jpg", "a.png", "a.jpg.png", "b.jpg")
    assert targets(plan_jobs([tmp_path], None, ".png"), tmp_path) == {
        "a.jpg": "a.jpg-matte.png",
        "a.png": "a.png-matte.png",
        "a.jpg.png": "a.jpg.png-matte.png",
        "b.jpg": "b-matte.png",
    }


def test_links_that_go_round_are_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, "in/a.jpg", "in/x/b.jpg")
    (tmp_path / "in/x/round").symlink_to(tmp_path / "in")
    (tmp_path / "in/x/self.jpg").symlink_to("self.jpg")
    found = targets(plan_jobs([tmp_path / "in"], None, ".png"), tmp_path)
    assert found.keys() == {"in/a.jpg", "in/x/b.jpg", "in/x/self.jpg"}


def test_a_folder_that_may_not_be_read_fails_alone(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.jpg", "private/b.jpg")
    folder.chmod(0o755)
    (folder / "private").chmod(0)
    with without_root_rights():
        found = [job.source for job in plan_jobs([folder], None, ".png")]
        with pytest.raises(MatteError, match=r"can't read .*private \(Permission denied\)"):
            plan_jobs([folder / "private"], None, ".png")
    (folder / "private").chmod(0o755)
    assert found == [folder / "a.jpg", folder / "private"]


def test_what_can_not_be_planned_is_said(tmp_path: Path) -> None:
    tree(tmp_path, "empty/notes.txt", "in/a.jpg")
    empty, full = tmp_path / "empty", tmp_path / "in"
    with pytest.raises(MatteError, match=r"no pictures in .*empty: it may hold \.avif \.bmp"):
        plan_jobs([empty], None, ".png")
    with pytest.raises(MatteError, match="several pictures can't go to standard output: name a"):
        plan_jobs([full], STREAM, ".png")
    with pytest.raises(MatteError, match="standard input is named twice: give one -"):
        plan_jobs([STREAM, STREAM], tmp_path, ".png")
    with pytest.raises(MatteError, match=r"out\.jpg is not a folder: with several pictures, -o"):
        plan_jobs([full], Path("out.jpg"), ".png")


WORDS = st.sampled_from(["a", "b", "a-matte", "a.jpg", "a.png", "a-matte.png", "a.jpg-matte"])
NAMES = st.tuples(WORDS, st.sampled_from([".jpg", ".png", ".PNG", ".webp"])).map("".join)
PLACES = st.tuples(st.sampled_from(["", "x/", "x/y/"]), NAMES).map("".join)


@settings(max_examples=60)
@given(
    names=st.sets(PLACES, min_size=1, max_size=8),
    out=st.sampled_from([None, "in", "in/x", "out", "."]),
    ending=st.sampled_from([".png", ".webp"]),
)
def test_targets_are_unique_and_never_a_source(
    names: set[str], out: str | None, ending: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree(folder, *(f"in/{place}" for place in names))
        into = None if out is None else folder / out
        try:
            jobs = plan_jobs([folder / "in"], into, ending)
        except MatteError:
            hypothesis.assume(out == "in/x")  # all of them lie where results go
            return
        found = [job.target for job in jobs]
        assert len(set(found)) == len(found)
        assert not set(found) & {job.source for job in jobs}
        tree(folder, *(str(on_disk(target).relative_to(folder)) for target in found))
        assert {job.source for job in plan_jobs([folder / "in"], into, ending)} == {
            job.source for job in jobs
        }, "another run takes the same pictures"
