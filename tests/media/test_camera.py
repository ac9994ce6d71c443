import errno
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.errors import MatteError, PictureError, SettingError
from matte.media.video import camera
from matte.media.video.camera import Device, Player, System, open_camera
from matte.media.video.clip import open_clip
from matte.media.video.facts import Facts
from matte.media.video.newest import Newest, Shot
from tests.media.clips import BASE, VFR, clip, damaged, mean_error, still

QUICK = tuple(range(0, 20 * 240, 240))  # a hundred frames a second


def seen(source: Player | Device, number: int | None = None) -> list[Shot]:
    return list(islice(source.shots(Event()), number))


def test_a_file_is_played_in_its_own_time(tmp_path: Path) -> None:
    source = Player(clip(tmp_path / "in.mp4", VFR))
    began = time.monotonic()
    shots = seen(source)
    assert [shot.seconds for shot in shots] == [pts * BASE for pts in VFR]
    assert [shot.number for shot in shots] == list(range(len(VFR)))
    for shot in shots:
        assert shot.arrived - began >= float(shot.seconds) - 0.001
        assert mean_error(shot.pixels, still(shot.number)) < 2.5
    assert time.monotonic() - began < float(VFR[-1] * BASE) + 1


def test_a_file_may_begin_again(tmp_path: Path) -> None:
    source = Player(clip(tmp_path / "in.mp4", QUICK, rate=Fraction(100)), loop=True)
    shots = seen(source, 50)
    steps = {b.seconds - a.seconds for a, b in pairwise(shots)}
    assert steps == {240 * BASE}
    assert mean_error(shots[40].pixels, still(0)) < 2.5


def test_broken_frames_are_left_out(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.mp4", QUICK, rate=Fraction(100), options={"g": "5", "bf": "0"})
    path = damaged(whole, 10, tmp_path / "bad.mp4")
    times = [shot.seconds for shot in seen(Player(path))]
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
    source = Player(path)
    assert open_clip(path).facts.deep
    assert not source.facts.deep
    assert seen(source)[0].pixels.dtype == np.uint8


class Numbers:
    """A camera whose n-th frame is of the colour n; it gives one whenever `go` is called."""

    def __init__(self, facts: Facts, number: int, fails: bool = False) -> None:
        self.facts = facts
        self._number, self._fails = number, fails
        self.given = 0
        self.wanted = 0

    def shots(self, stopped: Event) -> Iterator[Shot]:
        for number in range(self._number):
            while self.given >= self.wanted:
                if stopped.wait(0.001):
                    return
            pixels = Image(np.full((4, 6, 3), number, np.uint8))
            yield Shot(number, Fraction(number, 25), time.monotonic(), pixels)
            self.given += 1
        if self._fails:
            raise PictureError("the camera gives no more pictures", "plug it in")

    def go(self, number: int) -> None:
        self.wanted += number
        while self.given < min(self.wanted, self._number):
            time.sleep(0.001)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return open_clip(clip(tmp_path / "facts.mp4", (0,))).facts


def taken(newest: Newest, patience: float = 5) -> int:
    shot = newest.take(patience)
    assert shot is not None
    return shot.number


def test_only_the_newest_is_kept_and_the_rest_counted(facts: Facts) -> None:
    numbers = Numbers(facts, 10)
    with Newest(numbers) as newest:
        numbers.go(3)
        assert taken(newest) == 2
        assert newest.dropped == 0  # nobody was looking
        assert newest.take(0.01) is None
        numbers.go(1)
        assert taken(newest) == 3
        numbers.go(5)
        assert taken(newest) == 8
        assert newest.dropped == 4
        assert not newest.over
        numbers.go(1)
        assert taken(newest) == 9
        assert newest.take(5) is None
        assert newest.over


def test_what_ends_a_camera_is_told_after_its_last_frame(facts: Facts) -> None:
    numbers = Numbers(facts, 1, fails=True)
    with Newest(numbers) as newest:
        numbers.go(2)
        assert taken(newest) == 0
        with pytest.raises(PictureError, match="no more pictures"):
            newest.take(5)


def test_it_ends_at_once_in_the_middle_of_a_clip(tmp_path: Path) -> None:
    slow = Player(clip(tmp_path / "in.mp4", (0, 240_000, 480_000)))
    began = time.monotonic()
    with Newest(slow) as newest:
        assert taken(newest) == 0
    assert time.monotonic() - began < 2
    assert "camera" not in [thread.name for thread in threads()]


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
    monkeypatch.setattr(camera, "SYSTEMS", {sys.platform: System("lavfi", source, "")})


@pytest.mark.usefixtures("pretended")
def test_a_camera_gives_its_frames() -> None:
    source = open_camera("1")
    assert isinstance(source, Device)
    assert (source.facts.width, source.facts.height, source.facts.rate) == (66, 50, Fraction(50))
    shots = seen(source)
    assert [shot.seconds for shot in shots] == [Fraction(n, 50) for n in range(50)]
    assert {shot.pixels.shape for shot in shots} == {(50, 66, 3)}
    assert mean_error(shots[0].pixels, shots[49].pixels) > 1


@pytest.mark.usefixtures("pretended")
def test_a_camera_can_be_left() -> None:
    source = open_camera("1000")
    with Newest(source) as newest:
        assert taken(newest) >= 0
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
