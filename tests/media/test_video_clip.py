import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from matte.errors import PictureError
from matte.imaging.orientation import turn_upright
from matte.media.video.clip import Broken, Frame, open_clip
from matte.media.video.colours import Decoded, Encoded
from matte.media.video.facts import Colours
from tests.media.clips import BASE, CFR, STEP, VFR, clip, damaged, mean_error, still

LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
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


def test_what_is_known_of_a_clip(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "in.mp4",
        sound="5.1",
        text=True,
        chapters=True,
        aspect=Fraction(4, 3),
        colours=(2, 6, 6, 6),
        metadata={"title": "A name"},
    )
    facts = open_clip(path).facts
    assert (facts.width, facts.height, facts.sample_aspect) == (64, 48, Fraction(4, 3))
    assert (facts.average_rate, facts.rate) == (Fraction(24000, 1001),) * 2
    assert facts.duration == 20 * STEP * BASE
    assert (facts.frames, facts.codec, facts.depth, facts.deep) == (20, "h264", 8, False)
    assert facts.colours == Colours(2, 6, 6, 6)
    assert [str(track) for track in facts.tracks] == ["aac audio", "mov_text subtitle"]
    assert [(float(part.start), part.metadata["title"]) for part in facts.chapters] == [
        (0, "Part 0"),
        (0.3, "Part 1"),
    ]
    assert facts.metadata["title"] == "A name"


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


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le", "yuv422p12le"])
def test_colours_by_the_streams_own_matrix_and_range(
    pixel_format: str, matrix: int, full: bool
) -> None:
    bits = 10 if "10" in pixel_format else 12 if "12" in pixel_format else 8
    dtype, scale = (np.uint8 if bits == 8 else np.uint16), 1 << (bits - 8)
    for samples in [(60, 100, 150), (120, 128, 128), (200, 90, 140), (235, 128, 128), (16,) * 3]:
        frame = VideoFrame(64, 48, pixel_format)
        for plane, sample in zip(frame.planes, samples, strict=True):
            np.frombuffer(plane, dtype)[:] = sample * scale  # type: ignore[call-overload]  # buffer
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        pixels = Decoded().rgb(frame)
        assert pixels.dtype == dtype
        found = pixels[20, 20] / np.iinfo(dtype).max
        expected = _rgb(samples, matrix, full, bits)
        assert np.abs(found - expected).max() * 255 < 0.8, samples


def _rgb(samples: tuple[int, ...], matrix: int, full: bool, bits: int) -> list[float]:
    scale = 1 << (bits - 8)
    top = (1 << bits) - 1
    y, u, v = (samples[0] - 16) / 219, (samples[1] - 128) / 224, (samples[2] - 128) / 224
    if full:
        half = 1 << (bits - 1)
        y, u, v = ((s * scale - b) / top for s, b in zip(samples, (0, half, half), strict=True))
    red, blue = LUMA[matrix]
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return [min(max(part, 0.0), 1.0) for part in (r, g, b)]


@pytest.mark.parametrize("colours", [Colours(1, 1), Colours(2, 1), Colours(1, 6), Colours(1, 9)])
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p", "yuv444p10le", "yuv420p10le"])
def test_colours_come_back(pixel_format: str, colours: Colours) -> None:
    deep = "10" in pixel_format
    pixels = still(3) if not deep else still(3).astype(np.uint16) * 257
    frame = Encoded(pixel_format, colours, 64, 48).frame(pixels)
    frame.colorspace, frame.color_range = colours.matrix, colours.range
    error = Decoded().rgb(frame).astype(float) - pixels
    error /= 257 if deep else 1
    # Not darker, not lighter; into 8 full bits swscale cuts chroma off where it should round.
    assert np.abs(error.mean((0, 1))).max() < (1.1 if colours.range == 2 and not deep else 0.3)
    assert np.abs(error).mean() < (0.8 if "444" in pixel_format else 1.2)


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
    broken = [frame for frame in frames if isinstance(frame, Broken)]
    assert 1 <= len(broken) <= 10  # as far as the next key frame
    assert all(frame.fault for frame in broken)


def test_the_end_of_a_cut_file_is_told(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.mkv", range(0, 60 * STEP, STEP), options=SPARSE)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    *frames, last = open_clip(path).frames()
    assert len(frames) > 5
    assert all(isinstance(frame, Frame) for frame in frames)
    assert isinstance(last, Broken)
    assert last.fault == "the file ends here, before its time"


def test_what_is_no_video_is_said_in_a_line(tmp_path: Path, sample: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "words.txt").write_text("[Event]\nfile 'x'\n" * 99)
    whole = clip(tmp_path / "in.mp4", sound="stereo")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:2000])
    with av.open(str(tmp_path / "heard.mp4"), "w") as output, av.open(str(whole)) as source:
        track = source.streams.audio[0]
        copy = output.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    with av.open(str(tmp_path / "none.mp4"), "w") as output:
        output.add_stream("libx264", rate=25)
        output.start_encoding()
    for name, said in {
        ".": "is a folder",
        "missing.mp4": "No such file",
        "empty.mp4": "is empty",
        "words.txt": "not a readable video",
        str(sample): "not a readable video",
        "cut.mp4": "not a readable video",
        "heard.mp4": "has no video stream, only audio",
        "none.mp4": "no",
        "/dev/null": "is no file but a device",
    }.items():
        with pytest.raises(PictureError, match=said) as raised:
            open_clip(tmp_path / name)
        assert "\n" not in str(raised.value)
        assert raised.value.remedy
    with pytest.raises(PictureError, match="megapixels"):
        open_clip(whole, max_pixels=100)


def test_names_that_look_like_addresses_are_files(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", (0,)).rename(tmp_path / "http:%d,a b.mp4")
    assert len(list(open_clip(path).frames())) == 1


def test_pyav_waits_until_it_is_asked_for() -> None:
    modules = "sys, matte, matte.cli.main, matte.cli.image, matte.pipeline.build"
    said = f"import {modules}; print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
