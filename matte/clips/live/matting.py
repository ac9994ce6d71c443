"""A camera's frames matted as they come; when it is faster than the line, frames are dropped."""

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from queue import SimpleQueue
from threading import Event, Lock, Semaphore
from typing import Any, Self

import cv2
import numpy as np

from matte.arrays import Image
from matte.clips.following.choices import TimedChoice, settings_choices
from matte.clips.following.follower import SubjectFollower
from matte.clips.live.frames import FrameInWork, LiveBackground, LiveFrame, compose_live
from matte.clips.matting import NO_MASK, Matter
from matte.clips.passes import EditorPasses
from matte.clips.steps import open_matter
from matte.clips.threads import (
    MIN_THREADS_FOR_ALL,
    TimedResults,
    run_ahead,
    single_threaded_opencv,
)
from matte.configs.lengths import Length
from matte.configs.loader import MergedSettings, preset_names, with_preset
from matte.errors import MatteError, MatteWarning, SettingError
from matte.gpu.choice import DevicePlan, plan_device
from matte.media.video.camera_watcher import CameraFrame, CameraWatcher
from matte.pipeline.run import BuiltPipeline
from matte.pipeline.timing import Stopwatch
from matte.runtime.threads import usable_threads
from matte.segmentation.subjects import SubjectChoice

# Frames between camera and screen. Each more of them makes the others later, as they share the
# processors: on few, networks work on one while another is composed.
MAX_FRAMES_IN_WORK, FEW_FRAMES_IN_WORK = 3, 2
MAX_FETCH_SECONDS = 0.1  # after which it is looked whether the work has ended


class LiveMatting:
    """Mattes a camera's frames, within a `with` block; its settings can be changed meanwhile.

    Each frame is the camera's newest, and is composed with its own alpha. Its steps overlap with
    those of the frame before, in threads; only few frames are in work at once, as each of them
    makes the others later. Another preset's pipeline is built in another thread, and takes over
    when it is ready.
    """

    def __init__(
        self,
        newest: CameraWatcher,
        merged: MergedSettings,
        build: Callable[[MergedSettings], BuiltPipeline],
        backgrounds: Sequence[LiveBackground],
    ) -> None:
        """Begin with the first of the backgrounds.

        `build` returns the pipeline that video has with some settings: with these at once, with
        another preset's when that is chosen.
        """
        self.mirrored = False
        self._newest = newest
        self._backgrounds = deque(backgrounds)
        self._build = build
        self._merged = _refuse_delay(merged)
        self._pipeline = build(merged)
        self._lock = Lock()  # of the settings, what mattes by them, and choices
        self._matter: Matter | None = None
        self._plan: DevicePlan | None = None
        self._follower: SubjectFollower | None = None
        self._choices: list[TimedChoice] = []  # that the follower doesn't know yet
        self._warned: set[str] = set()
        self._warnings: SimpleQueue[str] = SimpleQueue()
        self._image: Image | None = None
        self._seconds = Fraction(0)
        self._builder = ThreadPoolExecutor(1, "preset")
        self._coming: tuple[MergedSettings, Future[BuiltPipeline]] | None = None
        self._overlaps = usable_threads() >= MIN_THREADS_FOR_ALL
        self._room = Semaphore(MAX_FRAMES_IN_WORK if self._overlaps else FEW_FRAMES_IN_WORK)
        self._stopped = Event()
        self._results: TimedResults[LiveFrame] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._room.release()
        if self._results is not None:
            self._results.close()
        self._builder.shutdown(cancel_futures=True)

    @property
    def ended(self) -> bool:
        """Whether the camera has ended, and next_frame() has returned all of its frames."""
        return self._results is not None and self._results.ended

    @property
    def dropped_frames(self) -> int:
        """How many frames came too late to be shown."""
        return self._newest.dropped

    @property
    def background_name(self) -> str:
        """The name of the current background."""
        return self._backgrounds[0].name

    @property
    def preset_title(self) -> str:
        """The preset's name, followed by that of the one that is being built, if one is."""
        return self._merged.preset + (f" → {self._coming[0].preset}" if self._coming else "")

    def next_background(self) -> None:
        """Go on to the next background."""
        self._backgrounds.rotate(-1)

    def toggle_mirror(self) -> None:
        """Turn frames left to right from now on, or no longer."""
        with self._lock:
            self.mirrored = not self.mirrored
            self._matter = None  # what it remembers is the other way round

    def choose_at(self, x: float, y: float) -> None:
        """Follow whoever is at a place, given as shares of the picture's width and height."""
        place = Length(100 * x, percent=True), Length(100 * y, percent=True)
        self._choose(TimedChoice(SubjectChoice("at", numbers=place)))

    def choose_everybody(self) -> None:
        """Keep everybody again."""
        self._choose(TimedChoice(None))

    def _choose(self, choice: TimedChoice) -> None:
        """Follow whom a choice means, from the next frame that is begun; raise without a mask."""
        if self._pipeline.line.segmenter is None:
            raise SettingError(NO_MASK, "begin without --modnet")
        with self._lock:
            self._choices.append(choice)

    def next_preset(self) -> None:
        """Start to build the next preset's pipeline in a thread; the first follows the last."""
        now = self._coming[0].preset if self._coming else self._merged.preset
        names = preset_names()
        following = names[(names.index(now) + 1) % len(names)]
        wanted = _refuse_delay(with_preset(self._merged, following))
        if self._coming is not None:
            self._coming[1].cancel()
        self._coming = wanted, self._builder.submit(self._build_warmed_up, wanted, self._image)

    def next_frame(self, timeout: float) -> LiveFrame | None:
        """Return the next frame that is matted; None if none is within `timeout` seconds."""
        self._switch_preset()
        if self._results is None:
            self._results = TimedResults(self._frames())
        frame = self._results.fetch(timeout)
        if frame is not None:
            self._room.release()
        while not self._warnings.empty():
            warnings.warn(self._warnings.get(), MatteWarning, stacklevel=2)
        return frame

    def _frames(self) -> Generator[LiveFrame]:
        """Yield the frames; closed, it stops all that is under way.

        On few processors the networks share a thread, and OpenCV has one for each.
        """
        steps: tuple[tuple[Callable[..., Generator[Any]], bool], ...] = (
            (self._segment, self._overlaps),
            (self._refine, True),
            (self._compose, False),
        )
        with ExitStack() as stack:
            if not self._overlaps:
                stack.enter_context(single_threaded_opencv())
            items: Generator[Any] = stack.enter_context(closing(self._newest_frames()))
            for step, own_thread in steps:
                items = run_ahead(step, items, 1) if own_thread else step(items)
                stack.enter_context(closing(items))
            yield from items

    def _newest_frames(self) -> Generator[CameraFrame]:
        """Yield the camera's newest frame, whenever there is room for one more in work."""
        while True:
            self._room.acquire()
            shot = None
            while shot is None:
                if self._stopped.is_set():
                    return
                shot = self._newest.fetch(MAX_FETCH_SECONDS)
                if shot is None and self._newest.ended:
                    return
            yield shot

    def _segment(self, shots: Iterator[CameraFrame]) -> Generator[FrameInWork]:
        """Yield each frame with its motion and its confidence."""
        for shot in shots:
            with self._lock:
                image = shot.pixels
                if self.mirrored:
                    image = Image(np.asarray(cv2.flip(image, 1)))
                matter, plan = self._matter_of(image)
                passes = EditorPasses(self._merged.config.segmentation.screen)
            self._image = image
            (segmented,) = matter.segment_all([image], [float(shot.seconds)])
            yield FrameInWork(shot, image, matter, plan, passes, segmented)

    def _matter_of(self, image: Image) -> tuple[Matter, DevicePlan | None]:
        """Return what mattes an image by the present settings, and the device that it does so on.

        Whom one follows is found again by his looks, turned round or by another network.
        """
        if self._choices and self._follower is None:
            self._follower, self._matter = SubjectFollower([]), None
        elif self._matter is None and self._follower is None:
            choices = settings_choices(self._merged.config, image.shape[:2])
            self._follower = SubjectFollower(choices) if choices else None
        for choice in self._choices:
            assert self._follower is not None
            self._follower.choose(choice)
        self._choices = []
        if self._matter is None:
            self._matter, self._plan = _matter_for(
                image, self._pipeline, self._merged, self._follower
            )
        return self._matter, self._plan

    def _refine(self, frames: Iterator[FrameInWork]) -> Generator[FrameInWork]:
        """Yield each frame with its stabilised alpha."""
        for each in frames:
            each.alpha = each.matter.stabilise(each.segmented, each.matter.refine(each.segmented))
            assert each.alpha is not None  # a stabiliser that is late was refused
            for reason in each.matter.doubts.keys() - self._warned:
                self._warned.add(reason)
                self._warnings.put(f"{reason}: such frames' mattes are MODNet's")
            yield each

    def _compose(self, frames: Iterator[FrameInWork]) -> Generator[LiveFrame]:
        """Yield each frame on the present background."""
        for each in frames:
            background = self._backgrounds[0]
            background.elapsed += each.shot.seconds - self._seconds
            self._seconds = each.shot.seconds
            yield compose_live(each, background)

    def _build_warmed_up(self, merged: MergedSettings, image: Image | None) -> BuiltPipeline:
        """Return a pipeline that has matted a frame already, as the first one takes long."""
        pipeline = self._build(merged)
        if image is not None:
            matter, _ = _matter_for(image, pipeline, merged)
            matter.refine(*matter.segment_all([image], [0.0]))
        return pipeline

    def _switch_preset(self) -> None:
        """Switch to the pipeline of the preset that was chosen, once it is built."""
        if self._coming is None or not self._coming[1].done():
            return
        (merged, built), self._coming = self._coming, None
        try:
            pipeline = built.result()
        except MatteError as error:
            text = f"preset {merged.preset} can't be had: {error}"
            warnings.warn(text, MatteWarning, stacklevel=3)
            return
        with self._lock:
            self._pipeline, self._merged, self._matter = pipeline, merged, None


def _matter_for(
    image: Image,
    pipeline: BuiltPipeline,
    merged: MergedSettings,
    follower: SubjectFollower | None = None,
) -> tuple[Matter, DevicePlan | None]:
    """Return what mattes frames of an image's size, and the device that it does so on, if any.

    Raises if memory is too small for them.
    """
    size, config, plan = (image.shape[0], image.shape[1]), merged.config, None
    is_keyed = config.segmentation.screen != "none"
    pipeline.memory.check_image(image, is_keyed)
    if follower is None and not is_keyed:
        plan = plan_device(pipeline.line, config, size, pipeline.memory)
    if plan is not None:
        plan = replace(plan, batch=1)  # a camera's frames come one by one
    return open_matter(pipeline.line, config, size, Stopwatch(), plan, follower, live=True), plan


def _refuse_delay(merged: MergedSettings) -> MergedSettings:
    """Return the settings; raise SettingError if they make alphas come a frame late."""
    if merged.config.video.temporal == "ofd":
        raise SettingError(
            "--temporal ofd finds a frame's alpha only a frame later, too late for a camera",
            "use --temporal flow or off",
        )
    return merged
