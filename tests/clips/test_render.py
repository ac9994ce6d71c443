from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.output_files import VideoFiles
from matte.clips.render import RenderJob, StoppedError, UnfinishedError
from matte.compositing.backgrounds import parse_background
from matte.configs.loader import MergedSettings, merge_settings
from matte.errors import MissingWeightsError, WeightsError
from matte.gpu.choice import DevicePlan
from matte.gpu.transfer import CPU
from matte.media.video.clip import open_clip
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.pipeline.run import BuiltPipeline
from tests import fakes
from tests.gpu.lines import line
from tests.media.clips import CFR, clip, names


class FailingAt(fakes.Unrefined):
    """A line that raises an error at a frame."""

    def __init__(self, frame: int, error: BaseException) -> None:
        self._left, self._error = frame, error

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        self._left -= 1
        if not self._left:
            raise self._error
        return LineResult(Alpha(np.ones(image.shape[:2], np.float32)), report={"ms": {}})


def job(folder: Path, alpha: Path | None = None) -> RenderJob:
    source = open_clip(clip(folder / "in.mp4"))
    named = VideoFiles(folder / "out.mp4", alpha)
    return RenderJob(source, named, parse_background("white"))


def test_a_clip_becomes_files(tmp_path: Path) -> None:
    counts: list[int] = []
    result = job(tmp_path, alpha=tmp_path / "a.mp4").render(
        fakes.build(merge_settings("fast")), counts.append
    )
    assert result.written == (tmp_path / "out.mp4", tmp_path / "a.mp4")
    assert result.frames == len(CFR)
    assert counts == list(range(1, len(CFR) + 1))
    assert result.rate == pytest.approx(result.frames / result.seconds)
    told = result.as_json()
    assert told["frames"] == len(CFR)
    assert set(told["ms"]) >= {"decode", "segment", "refine", "steady", "composite", "encode"}


@pytest.mark.parametrize(
    ("error", "raised"),
    [(WeightsError("damaged"), UnfinishedError), (KeyboardInterrupt(), StoppedError)],
)
def test_what_was_done_is_kept(
    tmp_path: Path, error: BaseException, raised: type[UnfinishedError]
) -> None:
    pipeline = BuiltPipeline(FailingAt(9, error), merge_settings("fast"), 10**6)
    with pytest.raises(raised, match=r"frames are kept in .*out.partial.mp4"):
        job(tmp_path).render(pipeline)
    assert names(tmp_path) == ["in.mp4", "out.partial.mp4"]


def test_the_first_settings_that_keep_up_are_chosen(tmp_path: Path) -> None:
    built: list[str] = []

    def build(merged: MergedSettings) -> BuiltPipeline:
        built.append(merged.preset)
        if merged.preset == "fast":
            raise MissingWeightsError("not here")
        return fakes.build(merged)

    choice, pipeline = job(tmp_path).choose(merge_settings("balanced"), 1e9, build)
    assert not choice.keeps_up
    assert choice.rates.keys() == {"balanced", "modnet"}
    assert pipeline.merged.preset == "balanced"
    assert built == ["balanced", "fast", "balanced", "fast"]
    choice, _ = job(tmp_path).choose(merge_settings("balanced"), 0.001, build)
    assert (choice.candidate.name, choice.keeps_up) == ("balanced", True)
    assert names(tmp_path) == ["in.mp4"], "what was tried is gone"


def test_choosing_has_three_seconds_or_a_share_of_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[float] = []

    def measure(job: RenderJob, pipeline: object, check: object, seconds: float, _: float) -> float:
        measured.append(seconds)
        clock[0] += 2 * seconds  # all of the time
        return 1.0

    clock = [100.0]
    monkeypatch.setattr(RenderJob, "_measure_rate", measure)
    monkeypatch.setattr("matte.clips.render.time.perf_counter", lambda: clock[0])
    choice, pipeline = job(tmp_path).choose(merge_settings("balanced"), 25, fakes.build)
    assert measured == [1.5]
    assert (choice.candidate.name, choice.keeps_up) == ("fast", None)
    assert pipeline.merged.preset == "fast"


def test_measuring_can_be_stopped(tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="interrupted"):
        job(tmp_path).choose(merge_settings("fast"), 1, fakes.build, stop)


def test_the_report_says_where_frames_were_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = merge_settings("fast", flags={"refiner": "guided"})
    pipeline = BuiltPipeline(line(merged.config), merged)
    monkeypatch.setattr("matte.clips.run.plan_device", lambda *_, **__: None)
    assert job(tmp_path).render(pipeline).as_json()["frames_on"] == {"device": "cpu"}
    monkeypatch.setattr("matte.clips.run.plan_device", lambda *_, **__: DevicePlan(CPU, 3, 7 << 20))
    again = RenderJob(
        open_clip(tmp_path / "in.mp4"), VideoFiles(tmp_path / "b.mp4"), parse_background("white")
    )
    told = again.render(pipeline).as_json()
    place = {"device": "cpu", "batch": 3, "planned_mib": 7, "decoder": "processor"}
    assert told["frames_on"] == place
    assert told["frames"] == len(CFR)
    assert "upload" in told["ms"]
