from pathlib import Path

import pytest

from matte.clips.output_files import VideoFiles, default_output, files_from_options
from matte.errors import OutputError


def test_a_composite_is_named_after_its_video() -> None:
    cases = [
        ("a/in.mp4", False, "a/in-matte.mp4"),
        ("in.MOV", False, "in-matte.mov"),
        ("in.mkv", False, "in-matte.mkv"),
        ("in.webm", False, "in-matte.mp4"),
        ("in.avi", False, "in-matte.mp4"),
        ("in.gif", False, "in-matte.mp4"),
        ("in.mp4", True, "in-matte.mov"),
    ]
    for source, cut_out, expected in cases:
        assert default_output(Path(source), cut_out) == Path(expected)


def test_files_move_to_another_folder_without_meeting(tmp_path: Path) -> None:
    files = VideoFiles(Path("a/o.mp4"), foreground=Path("b/o.mp4"), codec="h264", overwrite=True)
    moved = files.in_folder(tmp_path)
    assert list(moved.paths()) == [tmp_path / "0-o.mp4", tmp_path / "2-o.mp4"]
    assert moved.alpha is None
    assert (moved.codec, moved.overwrite) == ("h264", True)


def test_a_video_is_no_single_picture() -> None:
    with pytest.raises(OutputError, match=r"one picture, a video has many: number them: o%05d.png"):
        VideoFiles(Path("o.png")).check([])
    with pytest.raises(OutputError, match=r"number them: o%05d.exr"):
        VideoFiles(Path("o.exr")).check([])


def test_a_video_is_no_stream() -> None:
    for files in (VideoFiles(Path("-")), VideoFiles(Path("o.mp4"), alpha=Path("-"))):
        with pytest.raises(OutputError, match="can't go to standard output: name a file"):
            files.check([])


def test_options_are_taken_by_their_names() -> None:
    source = Path("talk.mkv")
    assert files_from_options(source, False, {}) == VideoFiles(Path("talk-matte.mkv"))
    asked = {"output": "o.mp4", "alpha": Path("a.mp4"), "bitrate": "6M", "overwrite": True}
    assert files_from_options(source, True, asked) == VideoFiles(
        Path("o.mp4"), Path("a.mp4"), transparent=True, bitrate=6_000_000, overwrite=True
    )
