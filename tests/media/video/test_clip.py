import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matte.imaging.orientation import turn_upright
from matte.media.video.clip import BrokenFrame, Frame, open_clip
from tests.media.clips import BASE, CFR, STEP, VFR, clip, damaged, mean_error, still
from tests.media.video.hdr_clips import LIGHT, grey_picture, hdr_clip

SPARSE = {"crf": "20", "g": "10"}


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("times", [CFR, VFR, (0,), tuple(time + 7000 for time in VFR)])
def test_every_frame_comes_at_its_exact_time(
    tmp_path: Path, times: tuple[int, ...], suffix: str
) -> None:
    found = open_clip(clip(tmp_path / f"in{suffix}", times))
    frames = list(found.frames())
    assert [frame.pts * found.facts.time_base for frame in frames] == [t * BASE for t in times]
    assert found.facts.start * found.facts.time_base == times[0] * BASE
    for at, frame in enumerate(frames):
        assert isinstance(frame, Frame)
        assert mean_error(frame.pixels, still(at)) < 2.5
    after = [frame.pts for frame in frames[1:]]
    assert [frame.pts + frame.duration for frame in frames[:-1]] == after
    assert frames[-1].duration > 0


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turned_clips_stand_upright(tmp_path: Path, degrees: int, flipped: bool) -> None:
    aspect = Fraction(4, 3)
    path = clip(tmp_path / "in.mp4", (0, STEP), degrees=degrees, flipped=flipped, aspect=aspect)
    found = open_clip(path)
    frame = next(found.frames())
    lying = degrees in (90, 270)
    assert (found.facts.width, found.facts.height) == ((48, 64) if lying else (64, 48))
    assert found.facts.sample_aspect == (1 / aspect if lying else aspect)
    # Degrees are against the clock, and the mirror comes behind the turn.
    expected = np.rot90(still(0), degrees // 90)
    if flipped:
        expected = expected[:, ::-1]
    assert isinstance(frame, Frame)
    assert mean_error(frame.pixels, np.ascontiguousarray(expected)) < 2.5
    assert mean_error(turn_upright(still(0), found.facts.orientation), frame.pixels) < 2.5


def test_deep_clips_have_16_bits(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "in.mkv",
        (0, STEP),
        codec="ffv1",
        pixel_format="yuv444p10le",
        options={"level": "3"},
    )
    found = open_clip(path)
    frame = next(found.frames())
    assert isinstance(frame, Frame)
    assert (found.facts.depth, frame.pixels.dtype.itemsize) == (10, 2)
    assert mean_error(frame.pixels, still(0).astype(np.uint16) * 257) < 0.5


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".webm", "libvpx-vp9")])
@pytest.mark.parametrize(
    ("start", "end"), [(0.3, None), (0.42, 0.9), (0, 0.2), (1.2, 1.25), (9, None), (0.001, 0.002)]
)
def test_ranges_have_the_frames_of_the_whole(
    tmp_path: Path, suffix: str, codec: str, start: float, end: float | None
) -> None:
    times = tuple(range(5005, 5005 + 30 * STEP, STEP))
    found = open_clip(clip(tmp_path / f"in{suffix}", times, codec=codec, options=SPARSE))
    whole = {frame.pts: frame for frame in found.frames()}
    cut = list(found.frames(start, end))
    assert [frame.pts for frame in cut] == [
        pts for pts in whole if start <= found.seconds(pts) < (math.inf if end is None else end)
    ]
    for frame in cut:
        twin = whole[frame.pts]
        assert isinstance(frame, Frame)
        assert isinstance(twin, Frame)
        np.testing.assert_array_equal(frame.pixels, twin.pixels)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "prores_ks"])
@pytest.mark.parametrize("at", [0, 11, 19, 29])
def test_a_damaged_frame_is_told_and_the_others_come(tmp_path: Path, codec: str, at: int) -> None:
    options = {"g": "10", "x265-params": "log-level=error:keyint=10"}
    whole = clip(
        tmp_path / "in.mov",
        range(0, 30 * STEP, STEP),
        codec=codec,
        pixel_format="yuv422p10le" if codec == "prores_ks" else "yuv420p",
        options=options if codec == "libx265" else {"g": "10"},
    )
    found = open_clip(damaged(whole, at, tmp_path / "damaged.mov"))
    frames = list(found.frames())
    assert [frame.pts for frame in frames] == list(range(0, 30 * STEP, STEP))
    broken = [frame for frame in frames if isinstance(frame, BrokenFrame)]
    assert 1 <= len(broken) <= 10  # as far as the next key frame
    assert all(frame.fault for frame in broken)


def test_the_end_of_a_cut_file_is_told(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.mkv", range(0, 60 * STEP, STEP), options=SPARSE)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    *frames, last = open_clip(path).frames()
    assert len(frames) > 5
    assert all(isinstance(frame, Frame) for frame in frames)
    assert isinstance(last, BrokenFrame)
    assert last.fault == "the file ends here, before its time"


def test_pyav_waits_until_it_is_asked_for() -> None:
    modules = "sys, matte, matte.cli.main, matte.cli.image, matte.pipeline.build"
    said = f"import {modules}; print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("kind", ["pq", "hlg"])
def test_hdr_is_read_in_its_own_light_or_in_sdr(tmp_path: Path, kind: str) -> None:
    source = open_clip(hdr_clip(tmp_path / "in.mp4", kind, [grey_picture(120)] * 2))
    assert source.light == LIGHT[kind]
    assert source.facts.deep
    (first, _) = source.frames()
    assert first.pixels is not None
    assert first.pixels.dtype == np.uint16
    mapped = source.tone_mapped()
    assert mapped.light is None
    assert not mapped.facts.deep
    for frame in mapped.frames():
        assert frame.pixels is not None
        assert np.abs(frame.pixels.astype(int) - 120).max() <= 2
    assert mapped.tone_mapped() is mapped
