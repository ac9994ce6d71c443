"""A clip matted into files."""

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from matte.clips.backgrounds import FilmEnd
from matte.clips.following.choices import TimedChoice
from matte.clips.following.record import FollowingRecord
from matte.clips.frames import FrameFault
from matte.clips.output_files import VideoFiles
from matte.clips.outputs import PartialFile, VideoWriters
from matte.clips.passes import NO_PASS_SETTINGS, PassSettings
from matte.clips.rate import RateCandidate, RateChoice, choose_candidate, rate_candidates
from matte.clips.run import VideoRun, open_run
from matte.compositing.backgrounds import Background, FilmFile, PictureFile
from matte.configs.loader import MergedSettings
from matte.configs.times import check_time_range
from matte.errors import InterruptedRunError, MatteError, MatteWarning, OutputError, SettingError
from matte.media.encoding import encode
from matte.media.video.clip import Clip
from matte.media.video.sequences import is_linear_sequence
from matte.pipeline.run import BuiltPipeline

# A rate is measured on so many frames after so many others, or on as many as there is time for.
MEASURED_FRAMES, WARM_UP_FRAMES = 24, 8
MAX_CHOOSING_SECONDS, MAX_CHOOSING_SHARE = 3.0, 0.05  # of the clip; whichever is more
CLEAR_RATIO, CLEAR_FRAMES = 1.5, 6  # of the wanted rate, after so many frames: no more are needed


@dataclass(frozen=True, slots=True, eq=False)
class RenderResult:
    """The result of rendering a clip: its files, frames, times and faults.

    `written` are the files. `ms` are the milliseconds of its steps, which overlap within `seconds`.
    `faults` are broken frames; `doubts` counts in how many frames another line took over, by its
    reason.
    """

    written: tuple[Path, ...]
    frames: int
    seconds: float
    ms: dict[str, float]
    faults: tuple[FrameFault, ...]
    doubts: dict[str, int]
    device: dict[str, Any] = field(default_factory=lambda: {"device": "cpu"})
    """Where frames were worked on, besides the networks."""
    following: FollowingRecord | None = None
    """How surely the chosen subjects were followed; None if all are kept."""

    @property
    def rate(self) -> float:
        """Frames that were rendered for each second."""
        return self.frames / self.seconds

    def as_json(self) -> dict[str, Any]:
        """Return the same in plain JSON values."""
        return {
            "written": [str(path) for path in self.written],
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "ms": self.ms,
            "broken": [str(fault) for fault in self.faults],
            "doubts": self.doubts,
            "frames_on": self.device,
            **({} if self.following is None else {"following": self.following.as_json()}),
        }


class UnfinishedError(OutputError):
    """A clip could not be written to its end; what was kept is said, after it was counted."""

    def __init__(self, why: str, kept: Sequence[PartialFile], frames: int) -> None:
        """`frames` were written; those that an encoder still held may be missing in the files."""
        text = "nothing could be kept" if frames else ""
        super().__init__(why, _kept_text(kept) if kept else text)


class StoppedError(UnfinishedError, InterruptedRunError):
    """A clip was stopped by its user, with Ctrl-C."""


def _kept_text(kept: Sequence[PartialFile]) -> str:
    """Return how many frames are kept in which files."""
    paths: dict[int, list[str]] = {}
    for file in kept:
        paths.setdefault(file.frames, []).append(str(file.path))
    (frames, first), *others = [(count, ", ".join(names)) for count, names in paths.items()]
    texts = [f"{frames} frames are kept in {first}"]
    return ", ".join([*texts, *(f"{count} in {names}" for count, names in others)])


@dataclass(frozen=True, slots=True, eq=False)
class RenderJob:
    """A clip, the files it becomes, its background, and its range in seconds after the first frame.

    `choices` say whom to follow; None: the settings do. `passes` change what is matted.

    >>> job = RenderJob(open_clip(path), files, parse_background("beach.jpg"))  # doctest: +SKIP
    >>> job.render(matte.load("fast")).frames  # doctest: +SKIP
    250
    """

    clip: Clip
    files: VideoFiles
    background: Background
    film_end: FilmEnd = "loop"
    premultiply: bool = False
    start: float = 0
    end: float | None = None
    choices: Sequence[TimedChoice] | None = None
    passes: PassSettings = NO_PASS_SETTINGS

    def __post_init__(self) -> None:
        check_time_range(self.start, self.end)
        composite = self.files.composite
        if self.premultiply and composite is not None and is_linear_sequence(composite):
            cause = "--premultiply means nothing in .exr, which always is so"
            raise SettingError(cause, "leave it out")

    @property
    def sources(self) -> list[Path]:
        """The files that are read."""
        behind = self.background
        read = [behind.path] if isinstance(behind, PictureFile | FilmFile) else []
        masks = [Path(each.choice.mask) for each in self.choices or () if each.choice is not None]
        garbage = self.passes.garbage_matte
        masks += [] if garbage is None else [garbage]
        return [self.clip.path, *read, *(path for path in masks if path.name)]

    @property
    def frames(self) -> int:
        """How many frames the range has, about; 0 if the clip doesn't say how long it is."""
        facts = self.clip.facts
        if facts.duration is None:
            return 0
        length = float(facts.duration)
        return max(0, round((min(self.end or length, length) - self.start) * facts.rate))

    def render(
        self,
        pipeline: BuiltPipeline,
        progress: Callable[[int], None] = lambda _: None,
        report: Callable[[RenderResult], bytes] = lambda _: b"",
    ) -> RenderResult:
        """Matte the clip into its files; `progress` is called with the number of frames so far.

        `report` returns what is written into the report's file, if one is named. Raises
        UnfinishedError if it failed or was stopped after some frames were written.
        """
        began, count = time.perf_counter(), 0
        writers = self._open_writers(self.files)
        try:
            with writers, self._open_run(pipeline) as run, closing(run.frames()) as frames:
                for frame in frames:
                    with run.watch("encode"):
                        writers.write(frame)
                    count += 1
                    progress(count)
                writers.report = lambda: report(_result(writers, run, count, began))
                writers.review = lambda: bytes(encode(run.review.draw(), ".png"))
        except KeyboardInterrupt:
            whole = [PartialFile(path, count) for path in writers.written]
            raise StoppedError("interrupted", writers.partial or whole, count) from None
        except MatteError as error:
            if not count:
                raise
            raise UnfinishedError(str(error), writers.partial, count) from error
        return _result(writers, run, count, began)

    def choose(
        self,
        merged: MergedSettings,
        target: float,
        build: Callable[[MergedSettings], BuiltPipeline],
        check: Callable[[], None] = lambda: None,
    ) -> tuple[RateChoice, BuiltPipeline]:
        """Return the best settings that reach `target` frames a second here, and their pipeline.

        `build` returns the pipeline that video has with some settings. `check` is called between
        frames and in the end, and may raise. Once the first pipeline is built, choosing takes 3
        seconds or 5 % of the range, whichever is more; then the next settings are used untried.
        """
        self._open_writers(self.files).close()  # raises now, not then, if a file can't be written
        pipelines: dict[str, BuiltPipeline] = {}
        length = self.frames / float(self.clip.facts.rate)
        ends = math.inf

        def measure(candidate: RateCandidate) -> float | None:
            """Return the candidate's frames a second if there is time, and keep its pipeline."""
            nonlocal ends
            is_late = time.perf_counter() >= ends
            pipelines[candidate.name] = build(candidate.merged)
            if is_late:
                return None
            now = time.perf_counter()
            ends = min(ends, now + max(MAX_CHOOSING_SECONDS, MAX_CHOOSING_SHARE * length))
            return self._measure_rate(pipelines[candidate.name], check, (ends - now) / 2, target)

        try:
            follows = bool(self.choices or merged.config.segmentation.subject)
            choice = choose_candidate(rate_candidates(merged, follows), target, measure)
            check()
        except KeyboardInterrupt:
            raise StoppedError("interrupted", [], 0) from None
        return choice, pipelines[choice.candidate.name]

    def _measure_rate(
        self, pipeline: BuiltPipeline, check: Callable[[], None], seconds: float, target: float
    ) -> float:
        """Return the frames a second of the first frames, written into a temporary folder.

        It takes so many `seconds`, less if the rate is far from the `target`.
        """
        with tempfile.TemporaryDirectory() as folder:
            job = replace(self, files=self.files.in_folder(Path(folder)))
            return job._rate_of_first_frames(pipeline, check, seconds, target)

    def _rate_of_first_frames(
        self, pipeline: BuiltPipeline, check: Callable[[], None], seconds: float, target: float
    ) -> float:
        """Return the frames a second at which the job's first frames are written."""
        times = [time.perf_counter()]
        with warnings.catch_warnings():  # the real files have been warned about
            warnings.simplefilter("ignore", MatteWarning)
            opened = self._open_writers(self.files)
        with (
            closing(opened) as writers,  # never finished: all the clip's sound would be copied
            self._open_run(pipeline) as run,
            closing(run.frames()) as frames,
        ):
            for frame in islice(frames, WARM_UP_FRAMES + MEASURED_FRAMES):
                check()
                writers.write(frame)
                times.append(time.perf_counter())
                if times[-1] - times[0] > seconds and len(times) > 3:
                    break
                ratio = _rate(times) / target
                if len(times) > CLEAR_FRAMES and not 1 / CLEAR_RATIO < ratio < CLEAR_RATIO:
                    break
        return _rate(times)

    def _open_writers(self, files: VideoFiles) -> VideoWriters:
        """Return the writers of the files; raises if one can't be written."""
        return VideoWriters(files, self.clip, self.sources, self.start, self.end)

    def _open_run(self, pipeline: BuiltPipeline) -> AbstractContextManager[VideoRun]:
        """Return the clip's run with a pipeline, to be used in a `with` block."""
        return open_run(
            pipeline,
            self.clip,
            self.background,
            self.film_end,
            premultiply=self.premultiply,
            start=self.start,
            end=self.end,
            colours=self.files.transparent or self.files.foreground is not None,
            choices=self.choices,
            passes=self.passes,
        )


def _rate(times: Sequence[float]) -> float:
    """Return the frames a second that end at these times, after the first time and a warm-up."""
    warm_up = min(WARM_UP_FRAMES, (len(times) - 1) // 2)
    counted = len(times) - 1 - warm_up
    return counted / max(times[-1] - times[warm_up], 1e-6) if counted > 0 else 0.0


def _result(writers: VideoWriters, run: VideoRun, count: int, began: float) -> RenderResult:
    """Return the result of a clip whose `count` frames are all written."""
    seconds = time.perf_counter() - began
    faults, doubts = tuple(run.faults), dict(run.doubts)
    ms = run.watch.ms
    if run.device is None:
        found = RenderResult(writers.result_paths, count, seconds, ms, faults, doubts)
        return replace(found, following=run.following)
    decoder = "processor" if run.clip.gpu is None else "GPU"
    device = {**run.device.as_json(), "decoder": decoder}
    return RenderResult(writers.result_paths, count, seconds, ms, faults, doubts, device)
