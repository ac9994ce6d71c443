"""Many photos, one after the other: one that fails stops no other."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matte.errors import MatteError, is_memory_error, out_of_memory
from matte.files import STREAM, check_names, check_output, make_folder
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.streams import STDIN, check_stdout
from matte.photos.finishing import FinishOptions, PhotoFinisher
from matte.photos.jobs import PhotoJob
from matte.photos.outputs import PhotoOutputs
from matte.photos.reader import PhotoReader
from matte.pipeline.run import BuiltPipeline


@dataclass(frozen=True, slots=True)
class StageFiles:
    """The files of a photo's stages: a mask or trimap to read, and what is to be saved."""

    mask_in: Path | None = None
    trimap_in: Path | None = None
    mask: Path | None = None
    trimap: Path | None = None
    alpha: Path | None = None
    foreground: Path | None = None

    @property
    def any(self) -> bool:
        """Whether a file is named."""
        return self != StageFiles()

    def sources(self) -> list[Path]:
        """Return the files that are read."""
        return [path for path in (self.mask_in, self.trimap_in) if path is not None]


@dataclass(frozen=True, slots=True, eq=False)
class PhotoOutcome:
    """What became of one photo: the files written and the report, or the error."""

    job: PhotoJob
    written: tuple[Path, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)
    error: MatteError | None = None


class Batch:
    """Photos that are matted and finished alike.

    Whatever is wrong with the request as a whole is raised when the batch is made: before a photo
    is read, and before a pipeline is needed.
    """

    def __init__(
        self,
        jobs: Sequence[PhotoJob],
        finish: FinishOptions,
        stages: StageFiles = StageFiles(),
        *,
        ending: str = ".png",
        overwrite: bool = False,
        report: Path | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        """`ending` is that of standard output; `report` is a file that is written after the run."""
        self.jobs = tuple(jobs)
        self.finish = finish
        self.stages = stages
        self._overwrite = overwrite
        self._outputs = [
            PhotoOutputs(
                job.target, ending, stages.mask, stages.trimap, stages.alpha, stages.foreground
            )
            for job in jobs
        ]
        self._check(report)
        self._finisher = PhotoFinisher(finish, max_pixels)
        self._reader = PhotoReader(self.jobs, max_pixels)

    def run(self, pipeline: BuiltPipeline) -> Iterator[PhotoOutcome]:
        """Matte, finish and write one photo after the other; yield what became of each."""
        for folder in sorted({job.target.parent for job in self.jobs if job.makes_folder}):
            make_folder(folder)
        for job, outputs in zip(self.jobs, self._outputs, strict=True):
            try:
                yield self._run_job(pipeline, job, outputs)
            except MatteError as error:
                yield PhotoOutcome(job, error=self._with_name(error, job))
            except Exception as error:
                if not is_memory_error(error):
                    raise
                yield PhotoOutcome(job, error=self._with_name(out_of_memory(), job))

    def _run_job(
        self, pipeline: BuiltPipeline, job: PhotoJob, outputs: PhotoOutputs
    ) -> PhotoOutcome:
        """Read, matte, finish and write one photo."""
        if job.target != STREAM:
            check_output(job.target, self._overwrite)
        photo = self._reader.read(job)
        prior = pipeline.prior(photo, self.stages.mask_in, self.stages.trimap_in)
        matte = pipeline.run(photo, prior, _source_name(job))
        written = outputs.write(photo, matte, self._finisher, self._overwrite, self._sources([job]))
        return PhotoOutcome(job, tuple(written), matte.report)

    def _sources(self, jobs: Iterable[PhotoJob]) -> list[Path]:
        """Return the files that the results of these jobs are made from."""
        photos = [job.source for job in jobs if job.source != STREAM]
        return [*photos, *self.finish.files(), *self.stages.sources()]

    def _with_name(self, error: MatteError, job: PhotoJob) -> MatteError:
        """Return the error with the photo's name in front, if there are several photos."""
        names = [STDIN, *(str(path) for path in (job.source, job.target) if path != STREAM)]
        if len(self.jobs) == 1 or any(name in error.cause for name in names):
            return error
        return type(error)(f"{_source_name(job)}: {error.cause}", error.remedy)

    def _check(self, report: Path | None) -> None:
        """Raise if an output can't be written, has a wrong ending, or is an input."""
        if any(job.target == STREAM for job in self.jobs):
            check_stdout()
        outputs = [out for o in self._outputs for out in o.paths(self.finish.transparent)]
        if report is not None:
            outputs.append((report, (".json",)))
        check_names(outputs, self._sources(self.jobs))
        # Of several photos, those whose result is there already fail alone.
        many = len(self.jobs) > 1
        later = {job.target for job in self.jobs if many or job.makes_folder}
        made = {job.target.parent for job in self.jobs if job.makes_folder}
        for path, _ in outputs:
            if path in later:
                continue
            if os.path.lexists(path) or not any(f.is_relative_to(path.parent) for f in made):
                check_output(path, self._overwrite)


def _source_name(job: PhotoJob) -> str:
    """Return what messages call a job's photo: its path, or standard input."""
    return STDIN if job.source == STREAM else str(job.source)
