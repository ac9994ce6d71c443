"""Many pictures, one after the other: one that fails stops no other."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matte.configs.loader import MergedSettings
from matte.errors import MatteError, PictureError
from matte.files import STREAM, check_names, check_output, make_folder
from matte.media.streams import STDIN, check_stdout
from matte.photos.finishing import Finish, Finisher
from matte.photos.jobs import Job
from matte.photos.outputs import Outputs
from matte.photos.reading import Ahead
from matte.pipeline.build import build
from matte.pipeline.limits import max_pixels
from matte.pipeline.networks import NetworkOpener
from matte.pipeline.run import Pipeline


@dataclass(frozen=True, slots=True)
class Stages:
    """What is given for a picture, and where its stages are saved; for one picture only."""

    mask_in: Path | None = None
    trimap_in: Path | None = None
    mask: Path | None = None
    trimap: Path | None = None
    alpha: Path | None = None
    foreground: Path | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything of it."""
        return self != Stages()

    def given(self) -> list[Path]:
        """The files that are read."""
        return [path for path in (self.mask_in, self.trimap_in) if path is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one picture: the files written and the report, or the error."""

    job: Job
    written: tuple[Path, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)
    error: MatteError | None = None


class Batch:
    """Pictures that are matted and finished alike. Whatever is wrong with the request as a whole is
    raised before the first of them is read.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        merged: MergedSettings,
        finish: Finish,
        stages: Stages = Stages(),
        ending: str = ".png",
        overwrite: bool = False,
        report: Path | None = None,
        opening: NetworkOpener | None = None,
    ) -> None:
        self.jobs = tuple(jobs)
        self.finish = finish
        self.stages = stages
        self._overwrite = overwrite
        self._outputs = [
            Outputs(job.target, ending, stages.mask, stages.trimap, stages.alpha, stages.foreground)
            for job in jobs
        ]
        self._check(report)
        pixels = max_pixels(merged.config)
        self._finisher = Finisher(finish, pixels)
        self._photos = Ahead(self.jobs, pixels)
        self.pipeline: Pipeline = build(merged, opening)
        for folder in sorted({job.target.parent for job in jobs if job.makes_folder}):
            make_folder(folder)

    def run(self) -> Iterator[Outcome]:
        """Does one job after the other."""
        for number, job in enumerate(self.jobs):
            try:
                yield self._do(number, job)
            except MatteError as error:
                yield Outcome(job, error=self._named(error, job))
            except MemoryError:
                need = PictureError("there is not enough memory", "give a smaller picture")
                yield Outcome(job, error=self._named(need, job))

    def _do(self, number: int, job: Job) -> Outcome:
        if job.target != STREAM:
            check_output(job.target, self._overwrite)
        photo = self._photos.photo(job)
        prior = self.pipeline.prior(photo, self.stages.mask_in, self.stages.trimap_in)
        matte = self.pipeline.run(photo, prior, _name(job))
        written = self._outputs[number].write(photo, matte, self._finisher, self._overwrite)
        return Outcome(job, tuple(written), matte.report)

    def _named(self, error: MatteError, job: Job) -> MatteError:
        """The error, with the picture's name if it tells none and there are several."""
        names = [STDIN, *(str(path) for path in (job.source, job.target) if path != STREAM)]
        if len(self.jobs) == 1 or any(name in error.cause for name in names):
            return error
        return type(error)(f"{_name(job)}: {error.cause}", error.remedy)

    def _check(self, report: Path | None) -> None:
        if any(job.target == STREAM for job in self.jobs):
            check_stdout()
        sources = [job.source for job in self.jobs if job.source != STREAM]
        sources += [*self.finish.files(), *self.stages.given()]
        outputs = [out for o in self._outputs for out in o.paths(self.finish.transparent)]
        if report is not None:
            outputs.append((report, (".json",)))
        check_names(outputs, sources)
        # Of several pictures, those whose result is there already fail alone.
        many = len(self.jobs) > 1
        later = {job.target for job in self.jobs if many or job.makes_folder}
        made = {job.target.parent for job in self.jobs if job.makes_folder}
        for path, _ in outputs:
            if path in later:
                continue
            if os.path.lexists(path) or not any(f.is_relative_to(path.parent) for f in made):
                check_output(path, self._overwrite)


def _name(job: Job) -> str:
    return STDIN if job.source == STREAM else str(job.source)
