"""What is left of a video's files where they can't be ended, and that all appear or none."""

from pathlib import Path
from typing import Any

import pytest

from matte.clips.frames import VideoFrame
from matte.clips.output_files import VideoFiles
from matte.clips.outputs import PartialFile, VideoWriters
from matte.errors import OutputError
from matte.media.video.clip import Clip, open_clip
from matte.media.video.writer import ClipWriter
from tests.clips.matted import frames, pictures
from tests.media.clips import VFR, clip, names, packets


@pytest.fixture
def source(tmp_path: Path) -> Clip:
    return open_clip(clip(tmp_path / "in.mp4", VFR, sound="stereo"))


def interrupted(passes: VideoWriters, found: list[VideoFrame], error: BaseException) -> None:
    with passes:
        for frame in found:
            passes.write(frame)
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OutputError("full", "")])
def test_what_was_done_is_kept_aside(tmp_path: Path, source: Clip, error: BaseException) -> None:
    (tmp_path / "o.mp4").write_text("mine")
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a", tmp_path / "f.gif", overwrite=True)
    passes = VideoWriters(files, source)
    with pytest.raises(type(error)):
        interrupted(passes, frames(source)[:7], error)
    expected = [tmp_path / name for name in ("o.partial.mp4", "a.partial", "f.partial.gif")]
    counts = (7, 7, 5)  # a GIF leaves out what is too short for it
    assert passes.partial == list(map(PartialFile, expected, counts))
    assert passes.written == []
    assert (tmp_path / "o.mp4").read_text() == "mine"
    assert len(pictures(expected[0])) == 7
    assert len(names(expected[1])) == 7
    assert packets(expected[0], "audio")
    assert len(names(tmp_path)) == 5


def test_without_a_frame_nothing_is_left(tmp_path: Path, source: Clip) -> None:
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a", tmp_path / "f.gif")
    with pytest.raises(KeyboardInterrupt):
        interrupted(VideoWriters(files, source), [], KeyboardInterrupt())
    with pytest.raises(OutputError, match="no frames"), VideoWriters(files, source):
        pass
    assert names(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("step", ["finish", "pending_files"])
@pytest.mark.parametrize("raised", [OutputError("full", "make room"), KeyboardInterrupt()])
def test_an_end_that_fails_loses_nothing(
    tmp_path: Path,
    source: Clip,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    raised: BaseException,
) -> None:
    files = VideoFiles(tmp_path / "o.mp4", tmp_path / "a.mp4", tmp_path / "f.gif")
    done = getattr(ClipWriter, step)

    def failing(writer: ClipWriter) -> Any:
        if writer.path.name == "a.mp4":
            raise raised
        return done(writer)

    monkeypatch.setattr(ClipWriter, step, failing)
    passes = VideoWriters(files, source)
    with pytest.raises(type(raised)):
        written_by(passes, frames(source))
    kept = ["o.partial.mp4", "a.partial.mp4", "f.partial.gif"]
    assert [file.path.name for file in passes.partial] == kept
    assert passes.written == []
    assert names(tmp_path) == sorted(["in.mp4", *kept])
    for file in passes.partial[:2]:
        assert len(pictures(file.path)) == len(VFR) == file.frames


@pytest.mark.parametrize("late", ["o.mp4", "a.mp4", "p/00003.png", "r.json"])
def test_all_outputs_get_their_names_or_none(tmp_path: Path, source: Clip, late: str) -> None:
    (tmp_path / "p").mkdir()
    files = VideoFiles(
        tmp_path / "o.mp4", tmp_path / "a.mp4", tmp_path / "p", report=tmp_path / "r.json"
    )
    passes = VideoWriters(files, source)
    with pytest.raises(OutputError, match=f"{late} exists"):
        written_by(passes, frames(source), meanwhile=tmp_path / late)
    assert passes.written == []
    assert (tmp_path / late).read_text() == "theirs"
    kept = ["a.partial.mp4", "o.partial.mp4", "p.partial"]
    assert names(tmp_path) == sorted({"in.mp4", "p", *kept, late.partition("/")[0]})
    assert [file.frames for file in passes.partial] == [len(VFR)] * 3


def test_a_report_is_written_with_the_others(tmp_path: Path, source: Clip) -> None:
    passes = VideoWriters(VideoFiles(tmp_path / "o.mkv", report=tmp_path / "r.json"), source)
    passes.report = lambda: b"done"
    written_by(passes, frames(source))
    assert (tmp_path / "r.json").read_bytes() == b"done"
    assert passes.written == [tmp_path / "o.mkv"]


def test_what_is_made_from_private_files_is_private(tmp_path: Path, source: Clip) -> None:
    (tmp_path / "beach.png").touch(mode=0o600)
    files = VideoFiles(tmp_path / "o.mkv", tmp_path / "a.gif")
    with VideoWriters(files, source, [tmp_path / "beach.png"]) as passes:
        passes.write(frames(source)[0])
    assert {path.stat().st_mode & 0o777 for path in passes.written} == {0o600}


def written_by(
    passes: VideoWriters, found: list[VideoFrame], meanwhile: Path | None = None
) -> None:
    """Writes the frames; somebody else writes a file `meanwhile`."""
    with passes:
        for frame in found:
            passes.write(frame)
        if meanwhile is not None:
            meanwhile.write_text("theirs")
