"""A clip's frames through a line and onto their background: every step in a thread of its own."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import After, open_composer
from matte.clips.frames import VideoFrame, detail_of
from matte.clips.matting import FrameMatter, Looked
from matte.clips.threads import ahead, single_opencv
from matte.compositing.backgrounds import Background, parse_background
from matte.compositing.composer import Composer
from matte.compositing.foreground import estimate_foreground, soft_colours
from matte.configs.settings import Config
from matte.configs.times import format_time
from matte.media.video.clip import BrokenFrame, Clip, Frame, open_clip
from matte.media.video.decoding import ENDS_EARLY
from matte.pipeline.line import Line
from matte.pipeline.timing import Stopwatch
from matte.runtime.threads import usable_threads

if TYPE_CHECKING:
    from matte.pipeline.run import Pipeline

# Frames that wait before each step: they even out what takes longer for some frames than others.
MOST_AHEAD, PIXELS_AHEAD = 4, 2_000_000
MANY = 4  # processors, for each step to get a thread of its own


@dataclass(frozen=True, slots=True)
class Fault:
    """A frame that is broken in the clip."""

    seconds: Fraction
    what: str

    def __str__(self) -> str:
        return f"{format_time(float(self.seconds))} {self.what}"


@dataclass(slots=True, eq=False)
class _Step:
    """A frame on its way; `looked` is None of a broken one, `image` while there is none for it."""

    frame: Frame | BrokenFrame
    image: Image | None
    looked: Looked | None = None
    alpha: Alpha | None = None


class VideoRun:
    """The frames of one clip, from `start` to before `end`, matted and composed, in order.

    `watch` adds up how long what took, beside one another; `faults` are the frames that are broken,
    `doubts` why another line took over, and in how many frames; all are complete at the end.
    """

    def __init__(
        self,
        clip: Clip,
        line: Line,
        config: Config,
        composer: Composer,
        start: float = 0,
        end: float | None = None,
        *,
        colours: bool = True,
    ) -> None:
        """Unless `colours` are wanted, a frame's foreground is good for an opaque composite only,
        and the picture itself elsewhere, which is quicker.
        """
        self.clip = clip
        self.watch = Stopwatch()
        self.faults: list[Fault] = []
        size = clip.facts.height, clip.facts.width
        self._matter = FrameMatter(line, config, size, self.watch)
        self.doubts = self._matter.doubts
        self._composer = composer
        self._colours = estimate_foreground if colours else soft_colours
        self._range = start, end

    def frames(self) -> Generator[VideoFrame]:
        """The frames, one after the other; closed, it stops all that is under way.

        On few processors light steps share a thread with others, and OpenCV has one for each.
        """
        size = self.clip.facts.width * self.clip.facts.height
        depth = max(1, min(MOST_AHEAD, PIXELS_AHEAD // size))
        many = usable_threads() >= MANY
        steps: tuple[tuple[Callable[..., Generator[Any]], bool], ...] = (
            (self._steps, many),
            (self._looked, True),
            (self._refined, many),
            (self._steadied, True),
            (self._finished, many),
        )
        with ExitStack() as stack:
            if not many:
                stack.enter_context(single_opencv())
            items: Generator[Any] = stack.enter_context(closing(self.clip.frames(*self._range)))
            for step, alone in steps:
                items = ahead(step, items, depth) if alone else step(items)
                stack.enter_context(closing(items))
            yield from items

    def _steps(self, frames: Iterator[Frame | BrokenFrame]) -> Generator[_Step]:
        """What is decoded; for what could not be, the picture before."""
        image: Image | None = None
        while True:
            with self.watch("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            if isinstance(frame, BrokenFrame):
                self.faults.append(Fault(self.clip.seconds(frame.pts), frame.fault))
                if frame.fault == ENDS_EARLY:
                    continue
            image = image if frame.pixels is None else frame.pixels
            yield _Step(frame, image)

    def _looked(self, steps: Iterator[_Step]) -> Generator[_Step]:
        for step in steps:
            if isinstance(step.frame, Frame):
                step.looked = self._matter.look(step.frame.pixels)
            yield step

    def _refined(self, steps: Iterator[_Step]) -> Generator[_Step]:
        for step in steps:
            if step.looked is not None:
                step.alpha = self._matter.refine(step.looked)
            yield step

    def _steadied(self, steps: Iterator[_Step]) -> Generator[_Step]:
        waiting: deque[_Step] = deque()
        alpha: Alpha | None = None
        for step in steps:
            if step.looked is None and alpha is not None and not waiting:
                step.alpha = alpha
                yield step
                continue
            waiting.append(step)
            if step.looked is None:
                continue
            assert step.alpha is not None
            found = self._matter.steady(step.looked, step.alpha)
            if found is not None:
                alpha = found
                yield from _with(alpha, waiting)
        last = self._matter.last()
        if last is not None:
            yield from _with(last, waiting)

    def _finished(self, steps: Iterator[_Step]) -> Generator[VideoFrame]:
        for step in steps:
            frame, image, alpha = step.frame, step.image, step.alpha
            assert image is not None
            assert alpha is not None
            seconds = self.clip.seconds(frame.pts)
            with self.watch("foreground"):
                foreground = self._colours(image, alpha, detail=detail_of(image))
            with self.watch("composite"):
                composite = self._composer.compose(image, foreground, alpha, seconds)
            fault = frame.fault if isinstance(frame, BrokenFrame) else ""
            yield VideoFrame(
                frame.pts, frame.duration, seconds, image, alpha, foreground, composite, fault
            )


def _with(alpha: Alpha, waiting: deque[_Step]) -> Iterator[_Step]:
    """The first frame that waits for its alpha, with it, and the broken ones around it, which have
    the same: those behind it, and those that have nothing before them.
    """
    good = next(step for step in waiting if step.looked is not None)
    passed = False
    while waiting and (waiting[0].looked is None or not passed):
        step = waiting.popleft()
        passed = passed or step is good
        step.alpha, step.looked = alpha, None  # what was looked at is large
        step.image = good.image if step.image is None else step.image
        yield step


@contextmanager
def running(
    pipeline: "Pipeline",
    clip: Clip,
    background: Background,
    after: After = "loop",
    *,
    premultiply: bool = False,
    start: float = 0,
    end: float | None = None,
    colours: bool = True,
) -> Iterator[VideoRun]:
    """A run of the clip with the pipeline's line and settings; its background's file is open.

    Raises if the clip's frames are too large for what the process may take.
    """
    facts, config = clip.facts, pipeline.config
    dtype: type[np.unsignedinteger[Any]] = np.uint16 if facts.deep else np.uint8
    pixel = np.zeros((), dtype)
    pipeline.memory.check(Image(np.broadcast_to(pixel, (facts.height, facts.width, 3))))
    with open_composer(
        background,
        config.compositing,
        after,
        premultiply=premultiply,
        aspect=facts.sample_aspect,
        dtype=dtype,
        max_pixels=pipeline.max_pixels,
    ) as composer:
        yield VideoRun(clip, pipeline.line, config, composer, start, end, colours=colours)


def frames_of(
    pipeline: "Pipeline", path: Path, background: str, start: float, end: float | None
) -> Generator[VideoFrame]:
    """What `Pipeline.video` gives."""
    clip = open_clip(path, pipeline.max_pixels)
    behind = parse_background(background)
    opened = running(pipeline, clip, behind, start=start, end=end)
    with opened as run, closing(run.frames()) as frames:
        yield from frames
