"""The steps from a clip's file to its matted and composed frames.

    decode ─> segment (motion, confidence) ─> refine ─> stabilise ─> compose (colours, background)

Each step is a generator over the frames, in this order below; it may have a thread of its own, a
few frames ahead of the next.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import FilmEnd, open_composer
from matte.clips.composing import ComposedFrame
from matte.clips.following.choices import TimedChoice, parse_choices, settings_choices
from matte.clips.following.follower import SubjectFollower
from matte.clips.following.record import FollowingRecord
from matte.clips.following.review import ReviewSheet
from matte.clips.frames import FrameFault, FrameInProgress, VideoFrame
from matte.clips.late_alphas import stabilise_frames
from matte.clips.passes import NO_PASS_SETTINGS, NO_PASSES, EditorPasses, PassSettings
from matte.clips.steps import open_composing, open_matter
from matte.clips.threads import (
    MIN_THREADS_FOR_ALL,
    in_batches,
    run_ahead,
    single_threaded_opencv,
)
from matte.compositing.backgrounds import Background, parse_background
from matte.compositing.composer import Composer
from matte.configs.settings import Config
from matte.configs.tables import convert
from matte.configs.times import check_time_range
from matte.gpu.choice import DevicePlan, plan_device
from matte.media.video.clip import BrokenFrame, Clip, Frame, open_clip
from matte.media.video.decoding import ENDS_EARLY
from matte.media.video.hdr import HdrMode
from matte.pipeline.line import Line
from matte.pipeline.timing import Stopwatch
from matte.runtime.threads import usable_threads

if TYPE_CHECKING:
    from matte.pipeline.run import BuiltPipeline

# Frames that wait before each step: they even out what takes longer for some frames than others.
MAX_FRAMES_AHEAD, MAX_PIXELS_AHEAD = 4, 2_000_000


class VideoRun:
    """The frames of one clip, from `start` to before `end`, matted and composed, in order.

    `watch` adds up the milliseconds of each step, which overlap. `faults` are the frames that are
    broken in the clip; `doubts` counts in how many frames another line took over, by its reason;
    `following` says how surely the chosen subjects were followed, None if all are kept; `review`
    collects pictures of its doubtful moments. All are complete at the end.
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
        device: DevicePlan | None = None,
        choices: Sequence[TimedChoice] = (),
        passes: EditorPasses = NO_PASSES,
    ) -> None:
        """Prepare the run; `start` and `end` are seconds after the clip's first frame.

        Unless `colours` are wanted, a frame's foreground is good for an opaque composite only,
        and the picture itself elsewhere, which is quicker. `device` is where frames are worked on;
        None: on the processor. `choices` say whom to follow; without any all subjects are kept.
        `passes` are what is changed in frames that are matted.
        """
        self.clip = clip
        self.watch = Stopwatch()
        self.faults: list[FrameFault] = []
        self._light = clip.light
        size = clip.facts.height, clip.facts.width
        self.device = device
        follower = SubjectFollower(choices) if choices else None
        self.following = FollowingRecord(choices) if choices else None
        self.review = ReviewSheet()
        self._passes = passes
        self._matter = open_matter(line, config, size, self.watch, device, follower)
        self._composing = open_composing(composer, self.watch, colours, device)
        self.doubts = self._matter.doubts
        self._range = start, end

    def frames(self) -> Generator[VideoFrame]:
        """Yield the frames, one after the other; closed, it stops all that is under way.

        On few processors one thread goes up to alpha and another on from there, for more would wait
        for each other, and OpenCV has one for each.
        """
        size = self.clip.facts.width * self.clip.facts.height
        depth = max(1, min(MAX_FRAMES_AHEAD, MAX_PIXELS_AHEAD // size))
        many = usable_threads() >= MIN_THREADS_FOR_ALL
        steps: tuple[tuple[Callable[..., Generator[Any]], bool], ...] = (
            (self._decode, many),
            (self._segment, many),
            (self._refine, True),
            (self._stabilise, many),
            (self._compose, many),
        )
        with ExitStack() as stack:
            if not many:
                stack.enter_context(single_threaded_opencv())
            items: Generator[Any] = stack.enter_context(closing(self.clip.frames(*self._range)))
            for step, own_thread in steps:
                items = run_ahead(step, items, depth) if own_thread else step(items)
                stack.enter_context(closing(items))
            yield from items

    def _decode(self, frames: Iterator[Frame | BrokenFrame]) -> Generator[FrameInProgress]:
        """Yield each decoded frame; for one that could not be decoded, the picture before it."""
        image: Image | None = None
        while True:
            with self.watch("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            if isinstance(frame, BrokenFrame):
                self.faults.append(FrameFault(self.clip.seconds(frame.pts), frame.fault))
                if frame.fault == ENDS_EARLY:
                    continue
            image = image if frame.pixels is None else frame.pixels
            yield FrameInProgress(frame, image)

    def _segment(self, frames: Iterator[FrameInProgress]) -> Generator[FrameInProgress]:
        """Yield each frame with its motion and its confidence."""
        for batch in in_batches(frames, self._matter.batch):
            whole = [each for each in batch if isinstance(each.frame, Frame)]
            pixels = [
                self._view(each.frame.pixels) for each in whole if isinstance(each.frame, Frame)
            ]
            times = [float(self.clip.seconds(each.frame.pts)) for each in whole]
            found = self._matter.segment_all(pixels, times)
            for each, segmented in zip(whole, found, strict=True):
                each.segmented, each.planes = segmented, segmented.planes
                each.followed = segmented.followed
            yield from batch

    def _view(self, pixels: Image) -> Image:
        """Return what the networks see of a frame: HDR in SDR, which they were trained on."""
        return pixels if self._light is None else self._light.to_sdr(pixels)

    def _refine(self, frames: Iterator[FrameInProgress]) -> Generator[FrameInProgress]:
        """Yield each frame with its alpha as the refiner finds it."""
        for each in frames:
            if each.segmented is not None:
                each.alpha = self._matter.refine(each.segmented)
            yield each

    def _stabilise(self, frames: Iterator[FrameInProgress]) -> Generator[FrameInProgress]:
        """Yield each frame with its stabilised alpha; a broken one with that of a neighbour."""
        yield from stabilise_frames(frames, self._matter)

    def _compose(self, frames: Iterator[FrameInProgress]) -> Generator[VideoFrame]:
        """Yield each frame with its foreground colours, put on its background."""
        for batch in in_batches(frames, self._matter.batch):
            times = [self.clip.seconds(each.frame.pts) for each in batch]
            matted = [self._passes.apply(each.matted) for each in batch]
            composed = self._composing.compose_all(matted, times)
            for each, seconds, result in zip(batch, times, composed, strict=True):
                sureness = self._recorded_sureness(each, float(seconds), result.alpha)
                yield _finished_frame(each, seconds, result, sureness)

    def _recorded_sureness(
        self, each: FrameInProgress, seconds: float, alpha: Alpha
    ) -> float | None:
        """Return how surely a frame's subjects were followed, once that is recorded."""
        if self.following is None or each.followed is None:
            return None
        moment = self.following.add(seconds, each.followed)
        if moment is not None and each.image is not None:
            self.review.offer(moment, each.followed.sureness, seconds, each.image, alpha)
        return each.followed.sureness


def _finished_frame(
    each: FrameInProgress, seconds: Fraction, composed: ComposedFrame, sureness: float | None
) -> VideoFrame:
    """Return a frame as it comes out."""
    frame, image = each.frame, each.image
    assert image is not None
    fault = frame.fault if isinstance(frame, BrokenFrame) else ""
    return VideoFrame(
        frame.pts,
        frame.duration,
        seconds,
        image,
        composed.alpha,
        composed.foreground,
        composed.composite,
        fault,
        sureness,
    )


@contextmanager
def open_run(
    pipeline: "BuiltPipeline",
    clip: Clip,
    background: Background,
    film_end: FilmEnd = "loop",
    *,
    premultiply: bool = False,
    start: float = 0,
    end: float | None = None,
    colours: bool = True,
    choices: Sequence[TimedChoice] | None = None,
    passes: PassSettings = NO_PASS_SETTINGS,
) -> Iterator[VideoRun]:
    """Yield a run of the clip with the pipeline's line and settings; its background's file is open.

    `choices` say whom to follow; None: the settings do. `after` says what a film behind the subject
    does when it is over; `premultiply` is for cut-outs; the others are VideoRun's. Raises
    PictureError if frames are too large for the memory.
    """
    facts, config = clip.facts, pipeline.config
    dtype: type[np.unsignedinteger[Any]] = np.uint16 if facts.deep else np.uint8
    pixel = np.zeros((), dtype)
    size, is_keyed = (facts.height, facts.width), config.segmentation.screen != "none"
    pipeline.memory.check_image(Image(np.broadcast_to(pixel, (*size, 3))), is_keyed)
    if choices is None:
        choices = settings_choices(config, size)
    prepared = passes.prepare(size, config.segmentation.screen)
    plan = None
    if not choices and prepared.are_none:
        plan = plan_device(pipeline.line, config, size, pipeline.memory, deep=facts.deep)
    if plan is not None and plan.device.type == "cuda":
        clip = clip.decoded_on_gpu(plan.device.index)
    with open_composer(
        background,
        config.compositing,
        film_end,
        premultiply=premultiply,
        aspect=facts.sample_aspect,
        dtype=dtype,
        max_pixels=pipeline.max_pixels,
        light=clip.light,
    ) as composer:
        run = VideoRun(
            clip,
            pipeline.line,
            config,
            composer,
            start,
            end,
            colours=colours or prepared.change_colours,
            device=plan,
            choices=choices,
            passes=prepared,
        )
        yield run


def video_frames(
    pipeline: "BuiltPipeline",
    path: Path,
    background: str,
    start: float,
    end: float | None,
    hdr: HdrMode = "keep",
    subject: str | Sequence[str] = (),
) -> Generator[VideoFrame]:
    """Yield the frames of a video file as `Pipeline.video` does, with the same arguments."""
    convert(hdr, HdrMode, "hdr")
    for name, seconds in (("start", start), ("end", 0 if end is None else end)):
        convert(seconds, float, name)
    check_time_range(start, end)
    clip = open_clip(path, pipeline.max_pixels)
    clip = clip.tone_mapped() if hdr == "sdr" else clip
    parsed = parse_background(background, films=True)
    choices = choices_for(clip, subject, pipeline.max_pixels)
    opened = open_run(pipeline, clip, parsed, start=start, end=end, choices=choices)
    with opened as run, closing(run.frames()) as frames:
        yield from frames


def choices_for(
    clip: Clip, subject: str | Sequence[str], max_pixels: int
) -> tuple[TimedChoice, ...] | None:
    """Return the choices that texts name for a clip; None without any: the settings choose."""
    given = subject if isinstance(subject, list | tuple) else [subject]
    subjects = convert(given, tuple[str, ...], "subject")
    if not subjects:
        return None
    return parse_choices(subjects, (clip.facts.height, clip.facts.width), max_pixels)
