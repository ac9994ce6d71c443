import errno
import sys
from fractions import Fraction
from itertools import islice
from threading import Event
from threading import enumerate as threads
from types import SimpleNamespace
from typing import Any

import pytest

from matte.errors import MatteError, PictureError
from matte.media.video import device_camera
from matte.media.video.camera import ClipCamera, open_camera
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.device_camera import CameraSystem, DeviceCamera
from tests.media.clips import mean_error


def seen(source: ClipCamera | DeviceCamera, number: int | None = None) -> list[CameraFrame]:
    return list(islice(source.frames(Event()), number))


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's own source of pictures takes the camera's place."""
    source = "testsrc=size=66x50:rate=50:duration={}"
    monkeypatch.setattr(device_camera, "SYSTEMS", {sys.platform: CameraSystem("lavfi", source, "")})


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
    monkeypatch.setattr(device_camera, "av", SimpleNamespace(open=fail))
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
    monkeypatch.setattr(device_camera, "av", SimpleNamespace(open=fail))
    size, fps = ((640, 480), 15.0) if "video_size" in options else (None, None)
    with pytest.raises(PictureError, match=r"^no camera"):
        open_camera(name, size, fps)
    assert asked == [(address, options)]
