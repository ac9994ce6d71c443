"""A camera that counts, a line that mattes its numbers, and what shows them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Event, Semaphore
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import open_composer
from matte.clips.live.frames import LiveBackground, LiveFrame
from matte.clips.live.matting import MAX_FRAMES_IN_WORK, LiveMatting
from matte.compositing.backgrounds import parse_background
from matte.compositing.composer import BEGINNING, Composer
from matte.configs.loader import MergedSettings, merge_settings
from matte.configs.settings import CompositingSettings
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.media.video.facts import ClipFacts
from matte.pipeline.line import NO_PRIOR, Line, LineResult, Prior
from matte.pipeline.run import BuiltPipeline
from tests.fakes import Unrefined

OFF = merge_settings("fast", flags={"temporal": "off"})


@dataclass
class NumberedLine(Unrefined):
    """A line whose alpha is everywhere the number that the picture shows, in hundredths."""

    takes: float = 0.0  # seconds
    runs: int = 0

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        self.runs += 1
        time.sleep(self.takes)
        number = int(image[0, 0, 0])
        return LineResult(
            Alpha(np.full(image.shape[:2], number / 100, np.float32)), report={"ms": {}}
        )


class CountingCamera:
    """A camera whose frames show their numbers; on their right they are black.

    They come every `step` seconds; or, if that is None, whenever `gate` is opened.
    """

    def __init__(self, facts: ClipFacts, number: int = 100, step: float | None = 0.005) -> None:
        self.facts = facts
        self.gate = Semaphore(0)
        self._number, self._step = number, step

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        for number in range(self._number):
            pixels = np.full((12, 16, 3), number, np.uint8)
            pixels[:, 8:] = 0
            if self._step is None:
                self.gate.acquire()
            elif stopped.wait(self._step):
                return
            yield CameraFrame(number, Fraction(number, 25), time.monotonic(), Image(pixels))


@dataclass
class ScriptedScreen:
    """A screen that keeps what it is shown, and presses keys after so many frames."""

    script: dict[int, str] = field(default_factory=dict)
    clicks: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    pictures: list[Image] = field(default_factory=list)
    lines: list[Sequence[str]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        self.pictures.append(picture)
        self.lines.append(lines)

    def pressed_keys(self) -> list[str]:
        return list(self.script.pop(len(self.pictures), ""))

    def clicked_places(self) -> list[tuple[float, float]]:
        return self.clicks.pop(len(self.pictures), [])

    def set_title(self, title: str) -> None:
        self.titles.append(title)


class TimedGround:
    """A ground that keeps the times it is asked for."""

    def __init__(self) -> None:
        self.times: list[Fraction] = []

    def background_for(self, image: Image, alpha: Alpha, seconds: Fraction) -> Image:
        self.times.append(seconds)
        return image


class UnchangedComposer(Composer):
    """Shows the camera's picture."""

    def compose(
        self, image: Image, foreground: Image, alpha: Alpha, seconds: Fraction = BEGINNING
    ) -> NDArray[Any]:
        return image


def background(name: str) -> LiveBackground:
    with open_composer(parse_background(name), CompositingSettings()) as composer:
        return LiveBackground(name, composer)


def pipelines_of(
    line: Line, settings: MergedSettings = OFF
) -> Callable[[MergedSettings], BuiltPipeline]:
    """What builds the pipeline of any settings: one line for all."""
    return lambda merged: BuiltPipeline(line, settings, 10**6)


def matting(newest: CameraWatcher, line: Line, name: str = "white") -> LiveMatting:
    """What mattes a camera's frames by the line, on one background."""
    return LiveMatting(newest, OFF, pipelines_of(line), [background(name)])


def all_of(live: LiveMatting) -> list[LiveFrame]:
    found = []
    while not live.ended:
        frame = live.next_frame(5)
        if frame is not None:
            found.append(frame)
    return found


def after_those_in_work(live: LiveMatting) -> LiveFrame:
    """The first frame that was begun when this is called, or a later one."""
    for _ in range(MAX_FRAMES_IN_WORK):
        assert live.next_frame(5) is not None
    frame = live.next_frame(5)
    assert frame is not None
    return frame
