"""What `matte video` refuses, and what is left where it can't finish."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.errors import OutputError
from matte.interrupts import SIGNALS
from matte.media.video.clip import open_clip
from matte.media.video.writer import ClipWriter
from tests.commands import run
from tests.conftest import save
from tests.media.clips import CFR, clip, frame_times, names, packets

BAND = ("--width", "3")
REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no such file": (("none.mp4",), "can't read"),
    "a folder": ((".",), "is a folder"),
    "a picture": (("photo.png",), "photo.png is a picture: name a video, or"),
    "empty": (("empty.mp4",), "is empty"),
    "noise": (("noise.mp4",), "is not a readable video"),
    "sound alone": (("sound.mp4",), "has no video stream"),
    "in is out": (("in.mp4", "-o", "in.mp4", "--overwrite"), "is named twice"),
    "alpha is out": (("in.mp4", "-o", "a.mov", "--alpha", "a.mov"), "is named twice"),
    "exists": (("in.mp4", "-o", "there.mov"), "exists"),
    "no folder": (("in.mp4", "-o", "none/a.mov"), "no folder"),
    "transparent mp4": (
        ("in.mp4", "-o", "a.mp4"),
        "can't hold transparency: end it in .mkv, .mov, .webm, or give a background with --bg",
    ),
    "ending": (("in.mp4", "-o", "a.txt"), "can't write a.txt"),
    "one picture": (("in.mp4", "-o", "a.png"), "is one picture"),
    "codec": (("in.mp4", "-o", "a.mp4", "--bg", "red", "--codec", "ffv1"), ".mp4 is not for ffv1"),
    "both": (("in.mp4", "--bg", "red", "--crf", "20", "--bitrate", "2M"), "both given"),
    "range": (("in.mp4", "--start", "2", "--end", "1"), "is not after"),
    "behind the end": (("in.mp4", "--start", "99"), "choose another range: the clip is 0:00."),
    "time": (("in.mp4", "--start", "soon"), "is not a time"),
    "bitrate": (("in.mp4", "--bg", "red", "--bitrate", "fast"), "is not a bitrate"),
    "premultiply": (("in.mp4", "--bg", "red", "--premultiply"), "--premultiply is for cut-outs"),
    "no background": (("in.mp4", "--bg", "none.jpg"), "none.jpg"),
    "large": (("in.mp4", "--max-pixels", "100"), "pixels"),
    "report": (("in.mp4", "--report", "in.mp4"), "can't write in.mp4"),
}


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_can_not_be_done_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    clip(tmp_path / "in.mp4", CFR[:5])
    save(tmp_path / "photo.png", np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "there.mov").write_text("mine")
    _sound_alone(tmp_path / "sound.mp4")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words, said = REFUSED[kind]
    result = run("video", *words)
    assert result.exit_code in (1, 2), result.output
    errors = [line for line in result.stderr.splitlines() if not line.startswith("Warning")]
    assert len(errors) == 1, result.stderr
    assert said in errors[0]
    assert errors[0].startswith("Error: ")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.usefixtures("fake")
def test_a_truncated_clip_gives_what_there_is(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.mkv", tuple(range(0, 96 * 1001, 1001)), sound="stereo")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 2 // 3])
    result = run("video", whole, "--bg", "red", "-o", tmp_path / "out.mp4", *BAND)
    assert result.exit_code == 0, result.output
    assert "the file ends here, before its time" in result.stderr
    assert 20 < len(frame_times(open_clip(tmp_path / "out.mp4"))) < 90


@pytest.mark.usefixtures("fake")
def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, length: int) -> bool:
        if length > 75_000:
            raise OSError(28, "No space left on device")
        return True

    source, out = clip(tmp_path / "in.mp4", sound="stereo"), tmp_path / "out.mov"
    out.write_text("mine")
    monkeypatch.setattr("matte.media.video.reserve.allocate", full)
    result = run("video", source, "--codec", "prores", "-o", out, "--overwrite", *BAND)
    assert result.exit_code == 1
    kept = tmp_path / "out.partial.mov"
    count = len(frame_times(open_clip(kept)))
    assert "No space left" in result.stderr
    assert f": {count} frames are kept in {kept}" in result.stderr
    assert out.read_text() == "mine"


@pytest.mark.usefixtures("fake")
def test_what_can_not_be_kept_is_not_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An MP4 without its end can't be played."""
    source = clip(tmp_path / "in.mp4")
    monkeypatch.setattr(ClipWriter, "_count_frames", lambda self: 0)
    monkeypatch.setattr(ClipWriter, "_end_file", _fail)
    result = run("video", source, "--bg", "red", "-o", tmp_path / "out.mp4", *BAND)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith("make room: nothing could be kept")
    assert names(tmp_path) == ["in.mp4"]


def _fail(writer: ClipWriter) -> None:
    raise OutputError("the disk is full", "make room")


@pytest.mark.usefixtures("fake")
def test_outputs_that_appear_meanwhile_are_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out, report = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4", tmp_path / "r.json"
    end = ClipWriter._end_file

    def late(writer: ClipWriter) -> None:
        end(writer)
        report.write_text("theirs")

    monkeypatch.setattr(ClipWriter, "_end_file", late)
    words = ("video", source, "--bg", "red", "-o", out, "--report", report, *BAND)
    result = run(*words)
    assert result.exit_code == 1
    assert "r.json exists" in result.stderr
    assert names(tmp_path) == ["in.mp4", "o.partial.mp4", "r.json"]
    assert report.read_text() == "theirs"
    report.unlink()
    result = run(*words, "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert json.loads(report.read_text())["frames"] == len(CFR)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 frames with sound: more than are matted until somebody interrupts."""
    folder = tmp_path_factory.mktemp("long")
    times = tuple(range(0, 300 * 1001, 1001))
    return clip(folder / "in.mp4", times, sound="stereo", size=(160, 120))


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of noise: what is written reaches the disk after a dozen frames, not 360."""
    random = np.random.default_rng(0)
    pictures = [
        Pillow.fromarray(random.integers(0, 256, (120, 160), dtype=np.uint8)) for _ in range(3)
    ]
    path = tmp_path_factory.mktemp("noise") / "noise.gif"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40, loop=0)
    return path


@pytest.mark.parametrize("how", [SIGNALS[0], SIGNALS[-1]])
def test_an_interrupted_run_leaves_what_was_done(
    long_clip: Path, noise: Path, tmp_path: Path, how: signal.Signals
) -> None:
    source = long_clip
    out = tmp_path / "out.mp4"
    words = ("--bg", noise, "-o", out, "--preset", "fast", "--crf", "0")
    command = [sys.executable, "-m", "matte", "video", source, *words]
    process = subprocess.Popen([str(word) for word in command], stdout=-1, stderr=-1, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _begun(tmp_path):
        time.sleep(0.05)
    process.send_signal(how)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert printed == ""
    assert said.splitlines()[-1].startswith("Error: interrupted: ")
    kept = tmp_path / "out.partial.mp4"
    assert str(kept) in said
    assert names(tmp_path) == ["out.partial.mp4"]
    frames, whole = frame_times(open_clip(kept)), frame_times(open_clip(source))
    assert 0 < len(frames) < len(whole)
    assert f" {len(frames)} frames are kept in " in said
    assert frames == whole[: len(frames)]
    assert packets(kept, "audio")


def _begun(folder: Path) -> bool:
    """Whether some frames are written."""
    return any(
        file.name.startswith(".matte-") and file.stat().st_size > 2000 for file in folder.iterdir()
    )


def _sound_alone(path: Path) -> None:
    import av
    from av.audio.frame import AudioFrame

    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        frame = AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
