import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from matte.api import Pipeline
from matte.arrays import Alpha, Image
from matte.clips.backgrounds import open_composer
from matte.clips.frames import VideoFrame
from matte.clips.run import VideoRun, open_run
from matte.compositing.backgrounds import parse_background
from matte.configs.loader import MergedSettings, merge_settings
from matte.configs.settings import CompositingSettings, Config, VideoSettings
from matte.errors import WeightsError
from matte.gpu.choice import DevicePlan
from matte.gpu.transfer import CPU
from matte.media.video.clip import Clip, open_clip
from matte.pipeline.line import NO_PRIOR, LineResult, Prior, TrimapFree
from matte.pipeline.run import BuiltPipeline
from tests.fakes import BrightIsAlpha, Unrefined
from tests.gpu.lines import line, settings
from tests.media.clips import BASE, CFR, VFR, clip, damaged
from tests.tolerances import DEVICE, DEVICE_COLOURS_MEAN


class Numbered(Unrefined):
    """A line whose alpha tells how many frames it has seen."""

    def __init__(self, failing_at: int = 0) -> None:
        self.seen, self.failing_at = 0, failing_at

    def run(self, image: Image, given: Prior = NO_PRIOR) -> LineResult:
        self.seen += 1
        if self.seen == self.failing_at:
            raise WeightsError("the network is damaged")
        alpha = Alpha(np.full(image.shape[:2], self.seen / 255, np.float32))
        return LineResult(alpha, report={"ms": {"matte": 1.0}})


def run(
    path: Path, line: Numbered, temporal: str = "off", start: float = 0, end: float | None = None
) -> tuple[list[VideoFrame], VideoRun]:
    settings = VideoSettings(temporal=temporal)  # type: ignore[arg-type]  # one of its words
    with open_composer(parse_background("black"), CompositingSettings()) as composer:
        found = VideoRun(open_clip(path), line, Config(video=settings), composer, start, end)
        return list(found.frames()), found


def numbers(frames: list[VideoFrame]) -> list[int]:
    return [round(255 * float(frame.alpha.mean())) for frame in frames]


class Speckled(Numbered):
    """A line whose alpha is one fleck, in its fourth and fifth frame."""

    def run(self, image: Image, given: Prior = NO_PRIOR) -> LineResult:
        self.seen += 1
        alpha = np.zeros(image.shape[:2], np.float32)
        alpha[20, 30] = self.seen in (4, 5)
        return LineResult(Alpha(alpha), report={"ms": {}})


@pytest.mark.parametrize("temporal", ["off", "ofd"])
@pytest.mark.parametrize(("despeckle", "flecks"), [(None, [3, 4]), (1, [3, 4]), (2, [])])
def test_flecks_are_taken_out_of_their_frames(
    tmp_path: Path, temporal: str, despeckle: int | None, flecks: list[int]
) -> None:
    video = VideoSettings(temporal=temporal, despeckle=despeckle)  # type: ignore[arg-type]  # one of its words
    with open_composer(parse_background("black"), CompositingSettings()) as composer:
        found = VideoRun(
            open_clip(clip(tmp_path / "a.mp4")), Speckled(), Config(video=video), composer
        )
        frames = list(found.frames())
    assert [frame.pts for frame in frames] == list(CFR)
    assert [n for n, frame in enumerate(frames) if frame.alpha.max() > 0] == flecks


@pytest.mark.parametrize("times", [CFR, VFR, (0,), (400, 2000)])
@pytest.mark.parametrize("temporal", ["off", "ofd"])
def test_every_frame_comes_out_in_its_time(
    tmp_path: Path, times: tuple[int, ...], temporal: str
) -> None:
    path = clip(tmp_path / "a.mp4", times)
    frames, found = run(path, Numbered(), temporal)
    assert [frame.pts for frame in frames] == list(times)
    assert numbers(frames) == list(range(1, len(times) + 1))
    assert [frame.seconds for frame in frames] == [(time - times[0]) * BASE for time in times]
    assert not found.faults
    for frame in frames:
        assert frame.image.shape == (48, 64, 3)
        assert frame.composite.shape == frame.foreground.shape == frame.image.shape
        assert frame.alpha.shape == (48, 64)


def test_steps_tell_how_long_they_took(tmp_path: Path) -> None:
    _, found = run(clip(tmp_path / "a.mp4"), Numbered())
    assert set(found.watch.ms) == {
        "decode",
        "follow",
        "matte",
        "steady",
        "foreground",
        "composite",
    }


@pytest.mark.parametrize("temporal", ["off", "ofd"])
def test_broken_frames_have_the_alpha_before(tmp_path: Path, temporal: str) -> None:
    whole = clip(tmp_path / "a.mp4", options={"x264-params": "keyint=5:bframes=0"})
    path = damaged(whole, 7, tmp_path / "b.mp4")
    frames, found = run(path, Numbered(), temporal)
    assert [frame.pts for frame in frames] == list(CFR)
    broken = [number for number, frame in enumerate(frames) if frame.fault]
    assert 7 in broken
    seen = numbers(frames)
    assert all(seen[number] == seen[number - 1] for number in broken)
    assert [float(fault.seconds) for fault in found.faults] == pytest.approx(
        [float(CFR[number] * BASE) for number in broken]
    )
    assert "0:00.292 " in str(found.faults[broken.index(7)])


def test_a_first_frame_that_is_broken_has_what_comes_next(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mp4", options={"x264-params": "keyint=5:bframes=0"})
    path = damaged(whole, 0, tmp_path / "b.mp4")
    frames, found = run(path, Numbered())
    assert len(frames) == len(CFR)
    assert found.faults
    assert numbers(frames)[0] == 1
    assert all(frame.image is not None for frame in frames)


def test_a_part_of_the_clip(tmp_path: Path) -> None:
    frames, _ = run(clip(tmp_path / "a.mp4"), Numbered(), start=0.2, end=0.5)
    assert [frame.pts for frame in frames] == [pts for pts in CFR if 4800 <= pts < 12000]


def test_what_fails_on_the_way_comes_out_and_ends_all(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(WeightsError, match="damaged"):
        run(clip(tmp_path / "a.mp4"), Numbered(failing_at=4))
    assert threading.active_count() == before


def test_the_library_gives_frames_one_by_one(tmp_path: Path) -> None:
    before = threading.active_count()
    path = clip(tmp_path / "a.mp4")
    pipeline = Pipeline(TrimapFree(BrightIsAlpha()), MergedSettings(Config(), "", {}), 10**6)
    frames = pipeline.video(path, background="red", start=0.1)
    frame = next(frames)
    assert frame.composite.shape == (48, 64, 3)
    assert frame.pts == CFR[3]
    frames.close()
    assert threading.active_count() == before
    assert next(pipeline.video(str(path))).composite.shape == (48, 64, 4)


@pytest.mark.parametrize(("device", "asked"), [("cuda:1", [1]), ("cpu", [])])
def test_a_gpu_that_works_on_frames_decodes_them(
    tmp_path: Path, device: str, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []

    def note(self: Clip, gpu: int) -> Clip:
        found.append(gpu)
        return self

    monkeypatch.setattr(Clip, "decoded_on_gpu", note)
    plan = DevicePlan(torch.device(device))
    monkeypatch.setattr("matte.clips.run.plan_device", lambda *_, **__: plan)
    monkeypatch.setattr("matte.clips.run.VideoRun", lambda of, *_, **__: of)
    merged = merge_settings("fast", flags={"refiner": "guided"})
    pipeline = BuiltPipeline(line(merged.config), merged)
    source = open_clip(clip(tmp_path / "a.mp4", CFR[:2]))
    with open_run(pipeline, source, parse_background("green")):
        assert found == asked


@pytest.mark.parametrize("temporal", ["flow", "ofd"])
def test_frames_go_through_a_device(tmp_path: Path, temporal: str) -> None:
    """In batches of three, as on the processor."""
    config = settings("fast", refiner="guided", temporal=temporal, fallback="none")
    path = clip(tmp_path / "a.mp4", CFR[:7], size=(128, 96))
    found = {}
    for name, plan in (("processor", None), ("device", DevicePlan(CPU, 3))):
        with open_composer(parse_background("green"), CompositingSettings()) as composer:
            run = VideoRun(open_clip(path), line(config), config, composer, device=plan)
            found[name] = list(run.frames())
    assert len(found["device"]) == len(found["processor"]) == 7
    for ours, theirs in zip(found["device"], found["processor"], strict=True):
        assert ours.pts == theirs.pts
        assert np.abs(ours.alpha - theirs.alpha).mean() <= DEVICE
        apart = np.abs(ours.composite.astype(int) - theirs.composite)
        assert apart.mean() <= DEVICE_COLOURS_MEAN
