import errno
import os
import resource
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.errors import MatteError, MatteWarning, OutputError, SettingError
from matte.media.video.clip import BrokenFrame, Frame, open_clip
from matte.media.video.codecs import CODECS
from matte.media.video.writer import ClipWriter
from tests.media.clips import (
    CFR,
    STEP,
    VFR,
    clip,
    copied_clip,
    frame_times,
    mean_error,
    names,
    packets,
    still,
    transparent,
)

CLIPS: dict[str, dict[str, Any]] = {
    "cfr": {},
    "vfr": {"times": VFR, "sound": "stereo"},
    "turned": {"degrees": 90, "aspect": Fraction(4, 3)},
    "deep": {
        "codec": "libx265",
        "pixel_format": "yuv420p10le",
        "options": {"x265-params": "log-level=error", "crf": "8"},
        "colours": (1, 9, 9, 16),
    },
    "odd": {"pixel_format": "yuv444p", "size": (63, 47)},
    "surround": {"sound": "5.1", "colours": (2, 6, 6, 6)},
    "one": {"times": (0,)},
    "late": {"times": tuple(t + 7000 for t in VFR), "sound": "stereo", "offset": Fraction(1, 4)},
    "milliseconds": {"base": Fraction(1, 1000), "times": (0, 33, 40, 100, 101, 166)},
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_comes_back(tmp_path: Path, name: str, suffix: str) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", **CLIPS[name]))
    with warnings.catch_warnings():
        if suffix == ".webm":  # has neither AAC nor other pixels than square ones
            warnings.simplefilter("ignore", MatteWarning)
        found = copied_clip(source, tmp_path / f"out{suffix}")
    before, after = frame_times(source), frame_times(found)
    if suffix in (".mp4", ".mov"):
        assert after == before
    else:
        assert after == [Fraction(int(time * 1000 + Fraction(1, 2)), 1000) for time in before]
    facts, old = found.facts, source.facts
    assert (facts.width, facts.height, facts.orientation) == (old.width, old.height, 1)
    assert facts.colours == old.colours
    assert facts.deep == old.deep
    if suffix != ".webm":
        assert facts.sample_aspect == old.sample_aspect
        heard = packets(old.path, "audio") if old.tracks else []
        came = packets(facts.path, "audio") if facts.tracks else []
        assert [data for _, data in came] == [data for _, data in heard]
        slack = 0 if suffix != ".mkv" else Fraction(1, 2000)
        assert all(abs(a[0] - b[0]) <= slack for a, b in zip(came, heard, strict=True))
    for one, other in zip(source.frames(), found.frames(), strict=True):
        assert isinstance(one, Frame)
        assert isinstance(other, Frame)
        assert mean_error(one.pixels, other.pixels) < 4  # few pixels with much colour


@pytest.mark.parametrize("codec", [name for name, each in CODECS.items() if not each.hardware])
def test_every_codec_and_what_it_keeps(tmp_path: Path, codec: str) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", VFR, aspect=Fraction(4, 3)))
    for suffix in CODECS[codec].endings:
        mute = suffix in (".mkv", ".webm") and codec not in ("h264", "h265")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if mute else "error", MatteWarning)
            found = copied_clip(source, tmp_path / f"out{suffix}", codec=codec)
        assert len(frame_times(found)) == len(VFR)
        assert found.facts.sample_aspect == (1 if mute else Fraction(4, 3))
        colours, old = found.facts.colours, source.facts.colours
        if codec == "ffv1":
            assert (colours.primaries, colours.transfer) == (old.primaries, old.transfer)
        else:
            assert colours == old
        if suffix == ".mp4":
            assert frame_times(found) == frame_times(source)


def discs(deep: bool = False) -> list[NDArray[Any]]:
    """Frames with a soft disc that moves, RGBA."""
    y, x = np.mgrid[:48, :64]
    found: list[NDArray[Any]] = []
    for at in range(6):
        alpha = np.clip((18 - np.hypot(y - 24, x - 22 - 3 * at)) / 6 + 0.5, 0, 1)
        frame = np.dstack([still(at), np.rint(alpha * 255).astype(np.uint8)])
        found.append(frame.astype(np.uint16) * 257 if deep else frame)
    return found


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("suffix", "worst"), [(".mov", 1), (".webm", 8), (".mkv", 0)])
def test_alpha_comes_back(tmp_path: Path, suffix: str, worst: int, deep: bool) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", CFR[:6]))
    path = tmp_path / f"out{suffix}"
    with ClipWriter(path, source.facts, channels=4, deep=deep) as writer:
        for pts, frame in zip(CFR[:6], discs(deep), strict=True):
            writer.write(frame, pts, STEP)
    found = transparent(path)
    assert len(found) == 6
    for frame, expected in zip(found, discs(), strict=True):
        error = np.abs(frame[..., 3].astype(int) - expected[..., 3])
        assert error.max() <= worst + (deep and suffix == ".mkv")  # FFmpeg rounds 16 bits down
        assert np.percentile(error, 99) <= 2
        assert mean_error(frame[8:40, 16:48, :3], expected[8:40, 16:48, :3]) < 2.5


@pytest.mark.parametrize(
    ("name", "codec", "worst"),
    [("a.mp4", None, 6), ("a.mp4", "h265", 4), ("a.mov", "prores", 1), ("a.mkv", "ffv1", 0)],
)
def test_mattes_come_back(tmp_path: Path, name: str, codec: str | None, worst: int) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", CFR[:6]))
    with ClipWriter(tmp_path / name, source.facts, channels=1, codec=codec) as writer:
        for pts, frame in zip(CFR[:6], discs(), strict=True):
            writer.write(np.ascontiguousarray(frame[..., 3]), pts, STEP)
    for found, expected in zip(open_clip(tmp_path / name).frames(), discs(), strict=True):
        assert isinstance(found, Frame)
        scale = 257 if found.pixels.dtype == np.uint16 else 1
        error = np.abs(found.pixels[..., 0] / scale - expected[..., 3])
        assert error.max() <= worst + 0.5


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("raised", [KeyboardInterrupt, RuntimeError])
def test_what_was_done_is_kept_aside(
    tmp_path: Path, raised: type[BaseException], suffix: str
) -> None:
    source = open_clip(clip(tmp_path / "in.mp4", sound="stereo"))
    path = tmp_path / f"out{suffix}"
    path.write_text("mine")
    (tmp_path / f"out.partial{suffix}").write_text("earlier")

    def interrupted() -> None:
        with writer:
            writer.copy_from(source)
            for at, frame in enumerate(source.frames()):
                if at == 7:
                    raise raised
                assert isinstance(frame, Frame)
                writer.write(frame.pixels, frame.pts, frame.duration)

    writer = ClipWriter(path, source.facts, overwrite=True)
    with pytest.raises(raised):
        interrupted()
    assert path.read_text() == "mine"
    assert writer.partial == tmp_path / f"out.partial-2{suffix}"
    done = open_clip(writer.partial)
    assert len(frame_times(done)) == 7
    assert packets(writer.partial, "audio")
    assert len(names(tmp_path)) == 4


def test_nothing_is_left_where_nothing_was_done(tmp_path: Path) -> None:
    source = open_clip(clip(tmp_path / "in.mp4"))

    def interrupted() -> None:
        with ClipWriter(tmp_path / "out.mp4", source.facts):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with (
        pytest.raises(OutputError, match="no frames for"),
        ClipWriter(tmp_path / "out.mp4", source.facts),
    ):
        pass
    assert names(tmp_path) == ["in.mp4"]


def test_what_can_not_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    facts = open_clip(clip(tmp_path / "in.mp4")).facts
    (tmp_path / "there.mp4").write_text("mine")
    (tmp_path / "link.mp4").hardlink_to(tmp_path / "in.mp4")
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("in.mp4", {"overwrite": True}, "named twice"),
        ("link.mp4", {"overwrite": True}, "named twice"),
        ("there.mp4", {}, "exists"),
        ("none/out.mp4", {}, "no folder"),
        ("out.txt", {}, "end it in"),
        ("out.mp4", {"channels": 4}, "can't hold transparency"),
        ("out.mkv", {"channels": 4, "codec": "h264"}, "can't hold transparency"),
        ("out.mov", {"codec": "vp9"}, "is not for vp9"),
        ("out.mp4", {"codec": "divx"}, "no codec 'divx'"),
        ("out.mp4", {"crf": 52}, "no quality 52"),
        ("out.mov", {"codec": "prores", "crf": 5}, "no quality"),
        ("out.mov", {"codec": "prores", "bitrate": 5}, "no bitrate"),
        ("out.mp4", {"crf": 5, "bitrate": 5}, "both given"),
        ("out.mp4", {"size": (20000, 20000)}, "can't write"),
    ]
    for name, options, said in cases:
        with pytest.raises(MatteError, match=said) as raised:
            ClipWriter(tmp_path / name, facts, **options)
        assert isinstance(raised.value, SettingError | OutputError)
        assert "\n" not in str(raised.value)
    assert (tmp_path / "there.mp4").read_text() == "mine"
    assert names(tmp_path) == ["in.mp4", "link.mp4", "there.mp4"]


def test_a_missing_encoder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = open_clip(clip(tmp_path / "in.mp4")).facts
    monkeypatch.setattr("matte.media.video.writer.choose_codec", lambda *_: (_absent(), "rgb"))
    with pytest.raises(OutputError, match="the encoder libnone is missing: choose another"):
        ClipWriter(tmp_path / "out.mp4", facts)
    assert names(tmp_path) == ["in.mp4"]


def _absent() -> Any:
    from dataclasses import replace

    return replace(CODECS["h264"], encoder="libnone")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("room", [10, 20_000])
def test_a_full_disk_is_said_and_replaces_nothing(tmp_path: Path, suffix: str, room: int) -> None:
    source = open_clip(clip(tmp_path / "in.mp4"))
    path = tmp_path / f"out{suffix}"
    path.write_text("mine")
    noise = np.random.default_rng(0)

    def written() -> None:
        with ClipWriter(path, source.facts, overwrite=True, crf=0) as writer:
            for at in range(40):
                writer.write(noise.integers(0, 256, (48, 64, 3), np.uint8), at * STEP, STEP)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OutputError, match=os.strerror(errno.EFBIG)):
            written()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "mine"
    assert not list(tmp_path.glob(".matte-*"))


def test_times_that_do_not_rise_are_mended_and_said(tmp_path: Path) -> None:
    facts = open_clip(clip(tmp_path / "in.mp4")).facts
    with ClipWriter(tmp_path / "out.mp4", facts) as writer:
        for pts in (0, 1001):
            writer.write(still(0), pts)
        with pytest.warns(MatteWarning, match="not in order"):
            writer.write(still(0), 1001)
        for pts in (1000, 3003):
            writer.write(still(0), pts)
    found = list(open_clip(tmp_path / "out.mp4").frames())
    assert [frame.pts for frame in found] == [0, 1001, 1002, 1003, 3003]
    assert not any(isinstance(frame, BrokenFrame) for frame in found)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cut_file_is_written_as_far_as_it_goes(tmp_path: Path, suffix: str) -> None:
    whole = clip(
        tmp_path / f"in{suffix}",
        range(0, 72 * STEP, STEP),
        sound="stereo",
        options={"crf": "5", "g": "10"},
        index_first=suffix == ".mp4",
    )
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = open_clip(path)
    with ClipWriter(tmp_path / f"out{suffix}", source.facts) as writer:
        writer.copy_from(source)
        *frames, last = source.frames()
        for frame in frames:
            if frame.pixels is not None:
                writer.write(frame.pixels, frame.pts, frame.duration)
    assert isinstance(last, BrokenFrame)
    assert last.fault
    assert len(frame_times(open_clip(tmp_path / f"out{suffix}"))) > 10
    assert packets(tmp_path / f"out{suffix}", "audio")
