import warnings
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from threading import Event, Semaphore
from threading import enumerate as threads

import cv2
import numpy as np
import pytest

import matte
from matte.arrays import Alpha, Image
from matte.clips.live.frames import LiveBackground
from matte.clips.live.matting import LiveMatting
from matte.compositing.composer import Composer
from matte.compositing.foreground import estimate_foreground
from matte.configs.loader import MergedSettings, merge_settings
from matte.errors import MatteWarning, SettingError, WeightsError
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.facts import ClipFacts
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.pipeline.run import BuiltPipeline
from tests import fakes
from tests.clips.live.cameras import (
    OFF,
    CountingCamera,
    NumberedLine,
    TimedGround,
    after_those_in_work,
    all_of,
    background,
    matting,
    pipelines_of,
)

WHITE = [background("white")]


def test_mask_and_picture_belong_together_however_slow_the_line_is(
    line: NumberedLine, facts: ClipFacts
) -> None:
    line.takes = 0.05
    with (
        CameraWatcher(CountingCamera(facts)) as newest,
        matting(newest, line) as live,
    ):
        found = all_of(live)
    numbers = [frame.shot.number for frame in found]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 99
    for frame, number in zip(found, numbers, strict=True):
        assert frame.image is frame.shot.pixels
        assert frame.alpha[0, 0] == pytest.approx(number / 100)
        alpha = Alpha(np.full((12, 16), number / 100, np.float32))
        subject = estimate_foreground(frame.image, alpha)
        assert (frame.shown == matte.composite(subject, alpha, "white")).all()
    assert len(found) >= 3
    assert live.dropped_frames + len(found) <= 100  # nothing came before the first
    assert live.dropped_frames >= 10


def test_a_quick_line_sees_every_frame(line: NumberedLine, facts: ClipFacts) -> None:
    counting = CountingCamera(facts, 20, step=None)
    with (
        CameraWatcher(counting) as newest,
        matting(newest, line) as live,
    ):
        for number in range(20):
            counting.gate.release()
            frame = live.next_frame(5)
            assert frame is not None
            assert frame.shot.number == number
        assert live.next_frame(5) is None
        assert live.ended
    assert live.dropped_frames == 0


def test_what_fails_is_raised_and_ends_all_threads(facts: ClipFacts) -> None:
    class Failing(NumberedLine):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            if self.runs == 2:
                raise WeightsError("the network is damaged")
            return super().run(image, prior)

    before = set(threads())
    with (
        CameraWatcher(CountingCamera(facts, 1000)) as newest,
        matting(newest, Failing()) as live,
    ):
        assert live.next_frame(5)
        assert live.next_frame(5)
        with pytest.raises(WeightsError, match="damaged"):
            live.next_frame(5)
    assert set(threads()) <= before


def test_frames_may_be_mirrored(line: NumberedLine, facts: ClipFacts) -> None:
    with (
        CameraWatcher(CountingCamera(facts, 1)) as newest,
        matting(newest, line) as live,
    ):
        live.toggle_mirror()
        frame = live.next_frame(5)
    assert frame is not None
    assert (frame.image == cv2.flip(frame.shot.pixels, 1)).all()
    assert (frame.image[:, :8] == 0).all()


def test_grounds_stand_still_while_they_are_not_seen(line: NumberedLine, facts: ClipFacts) -> None:
    first, second = TimedGround(), TimedGround()
    grounds = [
        LiveBackground(name, Composer(ground))
        for name, ground in (("first", first), ("second", second))
    ]
    counting = CountingCamera(facts, 9, step=None)
    with (
        CameraWatcher(counting) as newest,
        LiveMatting(newest, OFF, pipelines_of(line), grounds) as live,
    ):
        for number in range(9):
            counting.gate.release()
            assert live.background_name == ("second" if 3 <= number < 6 else "first")
            assert live.next_frame(5) is not None
            if number in (2, 5):
                live.next_background()
    assert len(first.times) == 6
    assert len(second.times) == 3
    assert max(first.times) <= Fraction(5, 25)
    assert first.times == sorted(first.times)


def until_preset(live: LiveMatting, name: str) -> None:
    for _ in range(1000):
        if live.preset_title == name:
            return
        live.next_frame(0.01)
    pytest.fail(f"{live.preset_title} did not become {name}")


def test_a_preset_takes_over_when_it_is_ready(facts: ClipFacts) -> None:
    lines = {name: NumberedLine() for name in ("balanced", "best", "fast")}
    asked: list[MergedSettings] = []
    ready = Semaphore(1)

    def build(merged: MergedSettings) -> BuiltPipeline:
        ready.acquire()
        asked.append(merged)
        return BuiltPipeline(lines[merged.preset], merged, 10**6)

    merged = merge_settings("fast", flags={"temporal": "off", "threshold": 0.25})
    counting = CountingCamera(facts, 10_000, 0.001)
    with (
        CameraWatcher(counting) as newest,
        LiveMatting(newest, merged, build, WHITE) as live,
    ):
        assert live.next_frame(5)
        live.next_preset()
        live.next_frame(5)
        assert live.preset_title == "fast → balanced"
        before = lines["fast"].runs
        after_those_in_work(live)
        assert lines["fast"].runs > before  # it goes on meanwhile
        ready.release()
        until_preset(live, "balanced")
        after_those_in_work(live)
        assert lines["balanced"].runs >= 2  # once before it was seen
        ready.release(2)
        live.next_preset()
        live.next_preset()
        until_preset(live, "fast")
    assert [found.preset for found in asked][:2] == ["fast", "balanced"]
    assert {found.config.segmentation.threshold for found in asked} == {0.25}
    assert {found.config.video.temporal for found in asked} == {"off"}


def test_a_preset_that_can_not_be_had_changes_nothing(facts: ClipFacts) -> None:
    def build(merged: MergedSettings) -> BuiltPipeline:
        if merged.preset != "fast":
            raise WeightsError("no weights", "fetch them")
        return BuiltPipeline(NumberedLine(), OFF, 10**6)

    counting = CountingCamera(facts, 10_000, 0.001)
    with CameraWatcher(counting) as newest, LiveMatting(newest, OFF, build, WHITE) as live:
        live.next_preset()
        with pytest.warns(MatteWarning, match="balanced can't be had: no weights: fetch them"):
            until_preset(live, "fast")
        assert live.next_frame(5)


def test_what_takes_over_is_told_once(facts: ClipFacts) -> None:
    class Doubting(NumberedLine):
        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            told = {"ms": {}, "fallback": {"reason": "no certain subject", "to": "modnet"}}
            return LineResult(super().run(image, prior).alpha, report=told)

    line = Doubting()
    with (
        CameraWatcher(CountingCamera(facts, 5)) as newest,
        matting(newest, line) as live,
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        all_of(live)
    assert [str(warning.message) for warning in said] == [
        "no certain subject: such frames' mattes are MODNet's"
    ]


def test_a_frame_later_is_too_late(line: NumberedLine, facts: ClipFacts) -> None:
    merged = merge_settings("fast", flags={"temporal": "ofd"})
    with pytest.raises(SettingError, match="use --temporal flow or off"):
        LiveMatting(
            CameraWatcher(CountingCamera(facts)), merged, pipelines_of(line), [background("white")]
        )


def test_flecks_make_no_frame_late(facts: ClipFacts) -> None:
    class Large(CountingCamera):
        def frames(self, stopped: Event) -> Iterator[CameraFrame]:
            for each in super().frames(stopped):
                yield replace(each, pixels=Image(np.zeros((36, 48, 3), np.uint8)))

    class Blinking(NumberedLine):
        """A line whose alpha has a fleck in the third frame, and one from the fifth on."""

        def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
            self.runs += 1
            alpha = np.zeros(image.shape[:2], np.float32)
            alpha[2, 2] = self.runs == 3 or self.runs >= 5
            return LineResult(Alpha(alpha), report={"ms": {}})

    merged = merge_settings("fast", flags={"despeckle": 2, "temporal": "off", "segment_every": 1})
    counting = Large(facts, 9, step=None)
    found = []
    with (
        CameraWatcher(counting) as newest,
        LiveMatting(newest, merged, pipelines_of(Blinking()), [background("white")]) as live,
    ):
        for number in range(9):
            counting.gate.release()
            frame = live.next_frame(5)
            assert frame is not None
            assert frame.shot.number == number
            found.append(float(frame.alpha[2, 2]))
    assert found == [0, 0, 0, 0, 0, 0, 1, 1, 1]


def test_whom_a_click_means_is_followed_and_found_again_in_the_mirror(facts: ClipFacts) -> None:
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[20:80, 20:50] = (255, 200, 120)
    picture[20:80, 100:140] = (140, 200, 255)

    class Standing(CountingCamera):
        def frames(self, stopped: Event) -> Iterator[CameraFrame]:
            for each in super().frames(stopped):
                yield replace(each, pixels=Image(picture))

    def kept(live: LiveMatting) -> list[bool]:
        frame = after_those_in_work(live)
        return [bool(frame.alpha[50, x] > 0.5) for x in (35, 120)]

    size = replace(facts, width=160, height=96)
    with (
        CameraWatcher(Standing(size, 1000)) as newest,
        LiveMatting(newest, OFF, fakes.build, WHITE) as live,
    ):
        assert kept(live) == [True, True]
        live.choose_at(0.75, 0.5)
        assert kept(live) == [False, True]
        live.toggle_mirror()
        assert kept(live) == [True, False]
        live.choose_everybody()
        assert kept(live) == [True, True]
