import errno
import sys
import time
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matte.errors import MatteError, PictureError, SettingError
from matte.media.video import camera
from matte.media.video.camera import CameraSystem, ClipCamera, DeviceCamera, open_camera
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.clip import open_clip
from matte.media.video.facts import ClipFacts
from tests.media.clips import BASE, VFR, clip, damaged, mean_error, still

QUICK = tuple(range(0, 20 * 240, 240))  # a hundred frames a second


def seen(source: ClipCamera | DeviceCamera, number: int | None = None) -> list[CameraFrame]:
    return list(islice(source.frames(Event()), number))


def test_a_file_is_played_in_its_own_time(tmp_path: Path) -> None:
    source = ClipCamera(clip(tmp_path / "in.mp4", VFR))
    began = time.monotonic()
    shots = seen(source)
    assert [shot.seconds for shot in shots] == [pts * BASE for pts in VFR]
    assert [shot.number for shot in shots] == list(range(len(VFR)))
    for shot in shots:
        assert shot.arrived - began >= float(shot.seconds) - 0.001
        assert mean_error(shot.pixels, still(shot.number)) < 2.5
    assert time.monotonic() - began < float(VFR[-1] * BASE) + 1


def test_a_file_may_begin_again(tmp_path: Path) -> None:
    source = ClipCamera(clip(tmp_path / "in.mp4", QUICK, rate=Fraction(100)), loop=True)
    shots = seen(source, 50)
    steps = {b.seconds - a.seconds for a, b in pairwise(shots)}
    assert steps == {240 * BASE}
    assert mean_error(shots[40].pixels, still(0)) < 2.5


def test_broken_frames_are_left_out(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.mp4", QUICK, rate=Fraction(100), options={"g": "5", "bf": "0"})
    path = damaged(whole, 10, tmp_path / "bad.mp4")
    times = [shot.seconds for shot in seen(ClipCamera(path))]
    assert 10 <= len(times) < 20
    assert 10 * 240 * BASE not in times


def test_deep_frames_are_rounded_to_eight_bits(tmp_path: Path) -> None:
    quiet = {"x265-params": "log-level=error"}
    path = clip(
        tmp_path / "in.mp4",
        (0, 1001, 2002),
        codec="libx265",
        pixel_format="yuv420p10le",
        options=quiet,
    )
    source = ClipCamera(path)
    assert open_clip(path).facts.deep
    assert not source.facts.deep
    assert seen(source)[0].pixels.dtype == np.uint8


@pytest.fixture
def facts(tmp_path: Path) -> ClipFacts:
    return open_clip(clip(tmp_path / "facts.mp4", (0,))).facts


def test_files_have_their_own_size_and_rate(tmp_path: Path) -> None:
    path = str(clip(tmp_path / "in.mp4", (0,)))
    for size, fps in (((64, 48), None), (None, 30.0)):
        with pytest.raises(SettingError, match="its own size and rate"):
            open_camera(path, size, fps)
    with pytest.raises(PictureError, match="can't read"):
        open_camera("missing.mp4")


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's own source of pictures takes the camera's place."""
    source = "testsrc=size=66x50:rate=50:duration={}"
    monkeypatch.setattr(camera, "SYSTEMS", {sys.platform: CameraSystem("lavfi", source, "")})


@pytest.mark.usefixtures("pretended")
def test_a_camera_gives_its_frames() -> None:
    source = open_camera("1")
    assert isinstance(source, DeviceCamera)
    assert (source.facts.width, source.facts.height, source.facts.rate) == (66, 50, Fraction(50))
    shots = seen(source)
    assert [shot.seconds for shot in shots] == [Fraction(n, 50) for n in range(50)]
    assert {shot.pixels.shape for shot in shots} == {(50, 66, 3)}
    assert mean_error(shots[0].pixels, shots[49].pixels) > 1


@pytest.mark.usefixtures("pretended")
def test_a_camera_can_be_left() -> None:
    source = open_camera("1000")
    with CameraWatcher(source) as newest:
        assert newest.fetch(5) is not None
    assert "camera" not in [thread.name for thread in threads()]


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are files on Linux")
def test_there_may_be_no_camera() -> None:
    with pytest.raises(PictureError, match=r"^no camera 97 \(/dev/video97\): plug one in") as found:
        open_camera("97")
    assert "\n" not in str(found.value)
    with pytest.raises(PictureError, match=r"^camera /dev/null"):
        open_camera("/dev/null")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "no permission for camera 0: join",
        ),
        (OSError(errno.EBUSY, "Device or resource busy"), "camera 0 is in use: end the program"),
        (OSError(errno.EINVAL, "Invalid argument"), "camera 0 refuses this: leave --size"),
        (OSError(errno.EIO, "Input/output error"), r"camera 0 can't be opened \(.*\): plug"),
    ],
)
def test_why_a_camera_can_not_be_had(
    monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(camera, "av", SimpleNamespace(open=fail))
    with pytest.raises(MatteError, match=f"^{said}"):
        open_camera("0")


@pytest.mark.parametrize(
    ("system", "name", "address", "options"),
    [
        ("linux", "1", "/dev/video1", {"video_size": "640x480", "framerate": "15"}),
        ("linux", "/dev/v4l/by-id/a", "/dev/v4l/by-id/a", {}),
        ("darwin", "0", "0:none", {"framerate": "30"}),
        ("darwin", "FaceTime", "FaceTime:none", {"framerate": "15", "video_size": "640x480"}),
        ("win32", "Integrated Camera", "video=Integrated Camera", {}),
        ("win32", "Logitech v1.0", "video=Logitech v1.0", {}),
    ],
)
def test_how_cameras_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    name: str,
    address: str,
    options: dict[str, str],
) -> None:
    asked: list[Any] = []

    def fail(*words: Any, **options: Any) -> None:
        asked.append((words[0], options["options"]))
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(camera, "av", SimpleNamespace(open=fail))
    size, fps = ((640, 480), 15.0) if "video_size" in options else (None, None)
    with pytest.raises(PictureError, match=r"^no camera"):
        open_camera(name, size, fps)
    assert asked == [(address, options)]
