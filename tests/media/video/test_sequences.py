import sys
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import OpenEXR
import pytest
from PIL import Image as Pillow

from matte.errors import BackendError, MatteWarning, OutputError
from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from matte.media.video.sequences import SequenceWriter, is_linear_sequence, is_sequence
from matte.placement import create_file
from tests.media.clips import STEP, VFR, clip, names, still


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "in.mp4", VFR)).facts


def cut_out(at: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[10:30, 5 + at : 25 + at] = 255
    return np.dstack([still(at), alpha])


def test_what_names_a_sequence(tmp_path: Path) -> None:
    assert is_sequence(tmp_path)
    assert is_sequence(Path("frames"))
    assert is_sequence(Path("a/name%05d.png"))
    assert not is_sequence(Path("a.png"))
    assert is_linear_sequence(Path("a/name%05d.EXR"))
    assert not any(is_linear_sequence(Path(name)) for name in ("a.exr", "a%d.png", "exr"))
    assert not is_sequence(Path("a.mov"))
    assert not is_sequence(Path("x" * 300 + ".mov"))  # the system refuses to look for it


@pytest.mark.parametrize("deep", [False, True])
def test_numbered_pictures(tmp_path: Path, facts: ClipFacts, deep: bool) -> None:
    frames = [cut_out(at).astype(np.uint16) * 257 if deep else cut_out(at) for at in range(3)]
    for name, first in (("frames", "frames/00001.png"), ("a/x%03d_rgba.png", "a/x001_rgba.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with SequenceWriter(tmp_path / name, facts) as writer:
            for at, frame in enumerate(frames):
                writer.write(frame, at * STEP)
        assert (tmp_path / first).is_file()
        assert len(names((tmp_path / first).parent)) == 3
        if not deep:
            with Pillow.open(tmp_path / first) as picture:
                np.testing.assert_array_equal(np.asarray(picture), frames[0])
        with pytest.raises(OutputError, match=r"holds .*001"):
            SequenceWriter(tmp_path / name, facts)
        SequenceWriter(tmp_path / name, facts, overwrite=True)._unfinished.discard()


def test_numbered_pictures_of_linear_light(tmp_path: Path) -> None:
    facts = open_clip(clip(tmp_path / "in.mp4", VFR, aspect=Fraction(4, 3))).facts
    frames = np.random.default_rng(0).random((3, 48, 64, 4)).astype(np.float32) * 2
    with SequenceWriter(tmp_path / "f" / "%04d.exr", facts) as writer:
        for at, frame in enumerate(frames):
            writer.write(frame, at * STEP)
    assert names(tmp_path / "f") == ["0001.exr", "0002.exr", "0003.exr"]
    found = OpenEXR.File(str(tmp_path / "f" / "0002.exr"))
    np.testing.assert_allclose(found.channels()["RGBA"].pixels, frames[1], rtol=1e-3)
    assert found.header()["pixelAspectRatio"] == pytest.approx(4 / 3)
    with pytest.raises(OutputError, match=r"holds 0001\.exr"):
        SequenceWriter(tmp_path / "f" / "%04d.exr", facts)


def test_a_missing_library_is_told_before_the_first_frame(
    tmp_path: Path, facts: ClipFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(BackendError, match=r"writing \.exr needs OpenEXR"):
        SequenceWriter(tmp_path / "f" / "%04d.exr", facts)
    assert names(tmp_path) == ["in.mp4"]


def test_pictures_of_an_earlier_run_are_told(tmp_path: Path, facts: ClipFacts) -> None:
    def written(count: int) -> None:
        with SequenceWriter(tmp_path / "frames", facts, overwrite=True) as writer:
            for at in range(count):
                writer.write(cut_out(at), at)

    written(3)
    with pytest.warns(MatteWarning, match=r"still holds 00003\.png"):
        written(2)
    assert len(names(tmp_path / "frames")) == 3


def test_an_unfinished_sequence_is_kept_aside(tmp_path: Path, facts: ClipFacts) -> None:
    def interrupted() -> None:
        with writer:
            writer.write(cut_out(0), 0)
            raise KeyboardInterrupt

    writer = SequenceWriter(tmp_path / "frames", facts)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert writer.partial == tmp_path / "frames.partial"
    assert names(writer.partial) == ["00001.png"]
    assert names(tmp_path) == ["frames.partial", "in.mp4"]


def test_a_pattern_makes_its_folder(tmp_path: Path, facts: ClipFacts) -> None:
    with SequenceWriter(tmp_path / "new" / "x%d.png", facts) as writer:
        writer.write(cut_out(0), 0)
        assert "new" not in names(tmp_path)
    assert names(tmp_path / "new") == ["x1.png"]
    assert names(tmp_path) == ["in.mp4", "new"]
    for name in ("none/below/x%d.png", "none/below"):
        with pytest.raises(OutputError, match="no folder"):
            SequenceWriter(tmp_path / name, facts)


def test_a_part_of_a_picture_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = open_clip(clip(tmp_path / "in.mp4")).facts

    def full(path: Path, permissions: int) -> BinaryIO:
        file = create_file(path, permissions)
        if path.name == "00002.png":
            file.write(b"begun")
            file.close()
            raise OSError(28, "No space left on device")
        return file

    monkeypatch.setattr("matte.media.video.sequences.create_file", full)
    with pytest.raises(OutputError, match="No space left"):
        _pictures(tmp_path / "out", facts)
    assert names(tmp_path / "out.partial") == ["00001.png"]


def _pictures(folder: Path, facts: ClipFacts) -> None:
    with SequenceWriter(folder, facts) as writer:
        for at in range(3):
            writer.write(still(at), at)


def test_pictures_that_appeared_meanwhile_are_not_replaced(
    tmp_path: Path, facts: ClipFacts
) -> None:
    (tmp_path / "out").mkdir()
    writer = SequenceWriter(tmp_path / "out" / "%d.png", facts)

    def write_late() -> None:
        with writer:
            for at in range(3):
                writer.write(still(at), at)
            (tmp_path / "out" / "2.png").write_text("theirs")

    with pytest.raises(OutputError, match=r"2\.png exists"):
        write_late()
    assert (tmp_path / "out" / "2.png").read_text() == "theirs"
    assert writer.partial is not None
    assert writer.partial_frames == 3
    assert names(writer.partial) == ["1.png", "2.png", "3.png"]


def test_a_folder_is_gone_if_nothing_came_into_it(
    tmp_path: Path, facts: ClipFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(files: object) -> None:
        raise OutputError("full", "make room")

    monkeypatch.setattr("matte.media.video.unfinished.place_files", full)
    with pytest.raises(OutputError, match="full"):
        _pictures(tmp_path / "out", facts)
    assert names(tmp_path) == ["in.mp4", "out.partial"]


def test_pictures_of_a_private_clip_are_private(tmp_path: Path, facts: ClipFacts) -> None:
    facts.path.chmod(0o600)
    _pictures(tmp_path / "out", facts)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()} == {0o600}
