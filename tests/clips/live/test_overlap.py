"""The steps of a camera's frames overlap, and few frames are in work."""

import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from threading import Semaphore

import pytest

from matte.arrays import Alpha, Image
from matte.clips.live.frames import LiveBackground
from matte.clips.live.matting import FEW_FRAMES_IN_WORK, MAX_FRAMES_IN_WORK, LiveMatting
from matte.compositing.composer import Composer
from matte.configs.loader import merge_settings
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.facts import ClipFacts
from matte.stages import Segmentation
from tests import fakes
from tests.clips.live.cameras import (
    CountingCamera,
    NumberedLine,
    after_those_in_work,
    all_of,
    matting,
    pipelines_of,
)


def until(reached: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if reached():
            return
        time.sleep(0.001)
    pytest.fail("it was never reached")


@pytest.mark.parametrize("processors", [1, 8])
def test_steps_overlap(facts: ClipFacts, monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    """A frame's background waits until the next frame is segmented, which can't be otherwise."""
    monkeypatch.setattr("matte.clips.live.matting.usable_threads", lambda: processors)
    segmented = Semaphore(0)

    class Noted(fakes.BrightIsSubject):
        def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
            segmented.release()
            return super().segment(image, size)

    class Waiting:
        def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
            assert segmented.acquire(timeout=20)
            return image

    line = NumberedLine()
    line.segmenter = Noted()
    grounds = [LiveBackground("waiting", Composer(Waiting()))]
    every = merge_settings("best", flags={"temporal": "off"})
    with (
        CameraWatcher(CountingCamera(facts, 1000)) as newest,
        LiveMatting(newest, every, pipelines_of(line, every), grounds) as live,
    ):
        live.next_frame(0)  # begins
        assert segmented.acquire(timeout=20)  # the first frame is, before its own
        numbers = [after_those_in_work(live).shot.number for _ in range(3)]
        segmented.release(9)  # for those still in work
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("processors", "in_work"), [(1, FEW_FRAMES_IN_WORK), (8, MAX_FRAMES_IN_WORK)]
)
def test_few_frames_are_in_work_and_the_next_is_the_newest(
    line: NumberedLine,
    facts: ClipFacts,
    monkeypatch: pytest.MonkeyPatch,
    processors: int,
    in_work: int,
) -> None:
    monkeypatch.setattr("matte.clips.live.matting.usable_threads", lambda: processors)
    fetched = []

    class Watched(CameraWatcher):
        def fetch(self, max_wait: float) -> CameraFrame | None:
            frame = super().fetch(max_wait)
            fetched.extend([] if frame is None else [frame.number])
            return frame

    counting = CountingCamera(facts, 90, step=None)
    with (
        Watched(counting) as newest,
        matting(newest, line) as live,
    ):
        counting.gate.release()
        assert live.next_frame(5)
        for number in range(1, 1 + in_work):  # begun one after the other, while nobody looks
            counting.gate.release()
            until(partial(fetched.__contains__, number))
        counting.gate.release(89 - in_work)
        until(lambda: newest.dropped == 88 - in_work)
        assert fetched == [*range(1 + in_work)]
        found = all_of(live)
    assert [frame.shot.number for frame in found] == [*range(1, 1 + in_work), 89]
