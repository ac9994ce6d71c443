import time
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from matte.errors import PictureError, SettingError
from matte.media.video.camera import ClipCamera, open_camera
from matte.media.video.camera_watcher import CameraFrame
from matte.media.video.clip import open_clip
from matte.media.video.device_camera import DeviceCamera
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
    assert source.loop_seconds == 20 * 240 * BASE
    assert ClipCamera(tmp_path / "in.mp4").loop_seconds is None
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
