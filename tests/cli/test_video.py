"""What `matte video` makes, mostly without networks: tests/fakes.py has their place."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.media.video.clip import Frame, open_clip
from tests.commands import run
from tests.conftest import SAMPLE
from tests.media.clips import CFR, VFR, clip, damaged, frame_times, names, packets, transparent
from tests.media.video.hdr_clips import grey_picture, hdr_clip

BAND = ("--width", "3")
RATE = Fraction(30000, 1001)


KINDS: dict[str, dict[str, Any]] = {
    "23.976": {},
    "variable": {"times": VFR},
    "late": {"times": tuple(time + 7777 for time in CFR), "offset": Fraction(1, 3)},
    "rotated": {"degrees": 90},
    "10 bits": {"codec": "libx265", "pixel_format": "yuv420p10le"},
    "odd": {"size": (65, 47), "pixel_format": "yuv444p"},
    "silent": {"sound": None},
    "5.1": {"sound": "5.1"},
    "one frame": {"times": (0,)},
    "two deep frames": {"times": (0, 1001), "codec": "ffv1", "pixel_format": "yuv420p10le"},
    "two streams": {"second": True},
    "full range": {"colours": (2, 6, 6, 6)},
    "wide pixels": {"aspect": Fraction(4, 3)},
    "subtitles": {"text": True, "chapters": True, "metadata": {"title": "A talk"}},
}


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("kind", KINDS)
def test_frames_times_and_sound_are_those_of_the_clip(
    tmp_path: Path, kind: str, ending: str
) -> None:
    made = {"sound": "stereo", **KINDS[kind]}
    source = clip(tmp_path / "in.mp4", **made)
    out = tmp_path / f"out{ending}"
    result = run("video", source, "--bg", "navy", "-o", out, *BAND)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}\n"
    before, after = open_clip(source).facts, open_clip(out).facts
    if ending == ".mkv":  # which counts milliseconds
        assert [float(t) for t in frame_times(open_clip(out))] == pytest.approx(
            [float(t) for t in frame_times(open_clip(source))], abs=5.1e-4
        )
    else:
        assert frame_times(open_clip(out)) == frame_times(open_clip(source))
        assert after.time_base == before.time_base
    assert (after.width, after.height, after.deep) == (before.width, before.height, before.deep)
    assert after.orientation == 1
    assert after.colours == before.colours
    assert after.sample_aspect == before.sample_aspect
    if made["sound"]:
        heard = packets(out, "audio")
        assert [data for _, data in heard] == [data for _, data in packets(source, "audio")]
        if ending != ".mkv":
            assert [t for t, _ in heard] == [t for t, _ in packets(source, "audio")]
    if kind == "subtitles":
        assert len(after.chapters) == len(before.chapters) == 2
        assert after.metadata["title"] == "A talk"
        held = any(track.kind == "subtitle" for track in after.tracks)
        assert held or "left out: mov_text subtitle" in result.stderr
        assert held or ending == ".mkv"


@pytest.mark.usefixtures("fake")
def test_a_report_on_standard_output_is_alone_there_and_verbose_says_what_ran(
    tmp_path: Path,
) -> None:
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    result = run("video", source, "--bg", "navy", "-o", out, "--report", "-", "-v", *BAND)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["written"] == [str(out)]
    first, *others = result.stderr.splitlines()
    assert first.startswith("64×48, 23.98 fps, preset balanced, refined by gca-slim")
    assert any(line.startswith("  refine ") for line in others)
    assert others[-1] == str(out)


@pytest.mark.usefixtures("fake")
def test_bright_is_kept_and_dark_is_green(tmp_path: Path) -> None:
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "out.mkv"
    alpha, foreground = tmp_path / "alpha.mkv", tmp_path / "foreground.mkv"
    result = run(
        *("video", source, "--bg", "#00ff00", "-o", out, "--codec", "ffv1", *BAND),
        *("--alpha", alpha, "--foreground", foreground, "--temporal", "off"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(out), str(alpha), str(foreground)]
    passes = [open_clip(path).frames() for path in (source, out, alpha, foreground)]
    count, seen = 0, 0.0
    for given, shown, grey, colours in zip(*passes, strict=True):
        assert isinstance(given, Frame)
        assert given.pixels is not None
        assert shown.pixels is not None
        assert grey.pixels is not None
        assert colours.pixels is not None
        a = grey.pixels[:, :, 0] / np.iinfo(grey.pixels.dtype).max
        assert (shown.pixels[a == 0] == (0, 255, 0)).all()
        assert (shown.pixels[a == 1] == given.pixels[a == 1]).all()
        assert (colours.pixels[a == 1] == given.pixels[a == 1]).all()
        seen += float((a == 1).mean())
        count += 1
    assert count == len(CFR)
    assert 0.01 < seen / count < 0.99


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("ending", [".mov", ".webm", ".mkv"])
def test_without_a_background_a_cut_out_that_editors_open(tmp_path: Path, ending: str) -> None:
    source, out = clip(tmp_path / "in.mp4", CFR[:3]), tmp_path / f"out{ending}"
    assert run("video", source, "-o", out, *BAND).exit_code == 0
    frames = transparent(out)
    assert len(frames) == 3
    assert frames[0][:, :, 3].min() < 10
    assert frames[0][:, :, 3].max() > 245


@pytest.mark.usefixtures("fake")
def test_results_lie_beside_the_clip(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", CFR[:3])
    assert run("video", source, *BAND).exit_code == 0
    assert run("video", source, "--bg", "red", *BAND).exit_code == 0
    assert names(tmp_path) == ["in-matte.mov", "in-matte.mp4", "in.mp4"]


@pytest.mark.usefixtures("fake")
def test_pictures_and_animations(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", CFR[:4])
    frames = tmp_path / "frames"
    frames.mkdir()
    for out in (frames, tmp_path / "a.gif", tmp_path / "a.webp", tmp_path / "n%03d.png"):
        result = run("video", source, "-o", out, *BAND)
        assert result.exit_code == 0, result.output
    assert names(frames) == [f"{number:05d}.png" for number in range(1, 5)]
    assert {"a.gif", "a.webp", "n001.png", "n004.png"} < set(names(tmp_path))


@pytest.mark.usefixtures("fake")
def test_a_part_begins_where_it_is_asked(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", sound="stereo")
    out = tmp_path / "out.mp4"
    result = run("video", source, "--bg", "red", "--start", "0:00.2", "--end", ".5", "-o", out)
    assert result.exit_code == 0, result.output
    chosen = [pts for pts in CFR if 4800 <= pts < 12000]
    assert [t - frame_times(open_clip(out))[0] for t in frame_times(open_clip(out))] == [
        Fraction(pts - chosen[0], 24000) for pts in chosen
    ]


@pytest.mark.usefixtures("fake")
def test_broken_frames_are_told_and_replaced(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mp4", options={"x264-params": "keyint=5:bframes=0"})
    source = damaged(whole, 7, tmp_path / "b.mp4")
    report = tmp_path / "report.json"
    result = run("video", source, "--bg", "red", "--report", report, *BAND)
    assert result.exit_code == 0
    assert "Warning: broken at 0:00.292 " in result.stderr
    assert " broken frames: the alpha of the frame before is used\n" in result.stderr
    assert len(frame_times(open_clip(tmp_path / "b-matte.mp4"))) == len(CFR)
    assert any("0:00.292" in line for line in json.loads(report.read_text())["broken"])


@pytest.mark.usefixtures("fake")
def test_stats_and_a_report(tmp_path: Path) -> None:
    source, report = clip(tmp_path / "in.mp4"), tmp_path / "report.json"
    result = run("video", source, "--bg", "red", "--stats", "--report", report, "-q", *BAND)
    assert result.exit_code == 0
    assert result.stdout == ""
    for step in ("decode", "follow", "segment", "trimap", "refine", "steady", "encode"):
        assert f"  {step} " in result.stderr
    told = json.loads(report.read_text())
    assert told["frames"] == len(CFR)
    assert told["settings"]["temporal"] == "flow"
    assert told["background"] == {"colour": [255, 0, 0]}
    assert "command" in told


@pytest.mark.usefixtures("fake")
def test_a_rate_picks_what_keeps_up(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4")
    result = run("video", source, "--bg", "red", "--fps-target", "0.5", *BAND)
    assert result.exit_code == 0, result.output
    assert "--fps-target: balanced is used; frames a second: balanced " in result.stderr
    result = run("video", source, "--bg", "red", "--fps-target", "1e9", *BAND, "--overwrite")
    assert result.exit_code == 0
    assert "is used, the fastest, but too slow as well" in result.stderr
    assert names(tmp_path) == ["in-matte.mp4", "in.mp4"]


@pytest.mark.usefixtures("fake")
def test_the_search_for_what_keeps_up_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def stopped() -> Iterator[Callable[[], None]]:
        def check() -> None:
            raise KeyboardInterrupt

        yield check

    monkeypatch.setattr("matte.cli.video.deferred_interrupts", stopped)
    source = clip(tmp_path / "in.mp4")
    result = run("video", source, "--bg", "red", "--fps-target", "5", *BAND)
    assert result.exit_code == 130
    assert result.stderr == "Error: interrupted\n"
    assert names(tmp_path) == ["in.mp4"]


@pytest.mark.usefixtures("fake")
def test_the_clip_may_be_its_own_background(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4")
    result = run("video", source, "--bg", source, "-o", tmp_path / "out.mp4", "--bg-end", "hold")
    assert result.exit_code == 0, result.output


def test_the_shipped_networks_cut_a_person_out(tmp_path: Path) -> None:
    """A photo, as a clip that moves to the side: the same as photos have it, and little apart."""
    from matte.media.pictures import read_image

    photo = read_image(SAMPLE)
    _moving(tmp_path / "in.mp4", photo)
    alpha = tmp_path / "alpha.mkv"
    words = ("--preset", "fast", "-o", tmp_path / "out.mov", "--alpha", alpha, "--codec", "prores")
    result = run("video", tmp_path / "in.mp4", *words)
    assert result.exit_code == 0, result.output
    for frame in open_clip(alpha).frames():
        assert frame.pixels is not None
        a = frame.pixels[:, :, 0] / np.iinfo(frame.pixels.dtype).max
        assert a[100:180, 200:240].mean() > 0.95, "the face"
        assert a[20:140, 320:380].mean() < 0.05, "the wall"


def _moving(path: Path, photo: Any) -> None:
    import av
    from av.video.frame import VideoFrame

    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
        for number in range(6):
            shifted = np.ascontiguousarray(np.roll(photo, number, axis=1))
            output.mux(stream.encode(VideoFrame.from_ndarray(shifted, format="rgb24")))
        output.mux(stream.encode(None))


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(("hdr", "transfer"), [("keep", 16), ("sdr", 1)])
def test_hdr_is_kept_or_tone_mapped_as_asked(tmp_path: Path, hdr: str, transfer: int) -> None:
    source = hdr_clip(tmp_path / "in.mp4", "pq", [grey_picture(200)] * 3)
    out = tmp_path / "out.mp4"
    result = run("video", source, "--bg", "navy", "--hdr", hdr, "-o", out, *BAND)
    assert result.exit_code == 0, result.output
    facts = open_clip(out).facts
    assert facts.colours.transfer == transfer
    assert facts.deep == (hdr == "keep")
