"""A clip matted into files."""

import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from matte.clips.backgrounds import After
from matte.clips.outputs import Files, Passes
from matte.clips.rate import Choice, Way, choose, ways
from matte.clips.run import Fault, VideoRun, running
from matte.compositing.backgrounds import Background, FilmFile, PictureFile
from matte.configs.loader import MergedSettings, with_video_refiner
from matte.errors import MatteError, MatteWarning, OutputError
from matte.media.video.clip import Clip
from matte.pipeline.build import build
from matte.pipeline.networks import NetworkOpener
from matte.pipeline.run import Pipeline

# What a rate is measured on: so many frames after so many others, or as many as so many seconds
# allow.
TRIED, WARM, PATIENCE = 24, 8, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """What became of a clip. `ms` are what its steps took: beside one another, in `seconds`."""

    written: tuple[Path, ...]
    frames: int
    seconds: float
    ms: dict[str, float]
    faults: tuple[Fault, ...]
    doubts: dict[str, int]

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds

    def told(self) -> dict[str, Any]:
        """The same in plain JSON values."""
        return {
            "written": [str(path) for path in self.written],
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "ms": self.ms,
            "broken": [str(fault) for fault in self.faults],
            "doubts": self.doubts,
        }


class UnfinishedError(OutputError):
    """A clip that could not be written to its end; what was done is kept, if it is any use."""

    def __init__(self, why: str, kept: list[Path], frames: int) -> None:
        names = ", ".join(str(path) for path in kept)
        super().__init__(why, f"{frames} frames are kept in {names}" if kept else "")


class StoppedError(UnfinishedError):
    """Somebody stopped it."""

    exit_code = 130  # what shells tell of what Ctrl-C ended


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A clip, what is behind its subject, the files it becomes, and its range in seconds after the
    first frame.
    """

    clip: Clip
    files: Files
    background: Background
    after: After = "loop"
    premultiply: bool = False
    start: float = 0
    end: float | None = None

    @property
    def sources(self) -> list[Path]:
        """The files that are read."""
        behind = self.background
        read = [behind.path] if isinstance(behind, PictureFile | FilmFile) else []
        return [self.clip.path, *read]

    @property
    def frames(self) -> int:
        """How many frames it has, about; 0 if the clip doesn't tell its length."""
        facts = self.clip.facts
        if facts.duration is None:
            return 0
        length = float(facts.duration)
        return max(0, round((min(self.end or length, length) - self.start) * facts.rate))

    def render(self, pipeline: Pipeline, told: Callable[[int], None] = lambda _: None) -> Rendered:
        """Writes the files; `told` is called with the number of frames so far.

        Raises UnfinishedError if something was done before it failed or was stopped.
        """
        began, count = time.perf_counter(), 0
        passes = self._passes(self.files)
        try:
            with passes, self._run(pipeline) as run, closing(run.frames()) as frames:
                for frame in frames:
                    with run.watch("encode"):
                        passes.write(frame)
                    count += 1
                    told(count)
        except KeyboardInterrupt:
            raise StoppedError("interrupted", passes.partial, count) from None
        except MatteError as error:
            if not passes.partial:
                raise
            raise UnfinishedError(str(error), passes.partial, count) from error
        seconds = time.perf_counter() - began
        faults, doubts = tuple(run.faults), dict(run.doubts)
        return Rendered(tuple(passes.written), count, seconds, run.watch.ms, faults, doubts)

    def choose(
        self, merged: MergedSettings, target: float, check: Callable[[], None] = lambda: None
    ) -> tuple[Choice, Pipeline]:
        """The best way to reach `target` frames a second on this machine, and its networks.

        `check` is called between frames and in the end, and may raise.
        """
        self._passes(self.files).close()  # what can't be written is said now, not then
        pipelines: dict[str, Pipeline] = {}

        def measure(way: Way) -> float:
            merged = with_video_refiner(way.merged)
            pipelines[way.name] = build(merged, NetworkOpener(merged.config))
            return self._rate(pipelines[way.name], check)

        try:
            choice = choose(ways(merged), target, measure)
            check()
        except KeyboardInterrupt:
            raise StoppedError("interrupted", [], 0) from None
        return choice, pipelines[choice.way.name]

    def _rate(self, pipeline: Pipeline, check: Callable[[], None]) -> float:
        """Frames a second, measured on the first ones, with all that is to be done with them."""
        with tempfile.TemporaryDirectory() as folder:
            return replace(self, files=self.files.within(Path(folder)))._tried(pipeline, check)

    def _tried(self, pipeline: Pipeline, check: Callable[[], None]) -> float:
        times = [time.perf_counter()]
        with warnings.catch_warnings():  # what there is to say of files was said of the real ones
            warnings.simplefilter("ignore", MatteWarning)
            opened = self._passes(self.files)
        with (
            closing(opened) as passes,  # never finished: all the clip's sound would be copied
            self._run(pipeline) as run,
            closing(run.frames()) as frames,
        ):
            for frame in islice(frames, WARM + TRIED):
                check()
                passes.write(frame)
                times.append(time.perf_counter())
                if times[-1] - times[0] > PATIENCE and len(times) > 3:
                    break
        warm = min(WARM, (len(times) - 1) // 2)
        counted = len(times) - 1 - warm
        return counted / max(times[-1] - times[warm], 1e-6) if counted > 0 else 0.0

    def _passes(self, files: Files) -> Passes:
        return Passes(files, self.clip, self.sources, self.start, self.end)

    def _run(self, pipeline: Pipeline) -> AbstractContextManager[VideoRun]:
        return running(
            pipeline,
            self.clip,
            self.background,
            self.after,
            premultiply=self.premultiply,
            start=self.start,
            end=self.end,
            colours=self.files.transparent or self.files.foreground is not None,
        )
