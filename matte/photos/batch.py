"""Many photos: one that fails stops no other.

While one is matted, the next one is read, and the one before is written.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any, TypeVar

from matte.errors import (
    MatteError,
    MatteWarning,
    OutputError,
    PictureError,
    SettingError,
    is_memory_error,
    out_of_memory,
)
from matte.files import STREAM, check_names, check_output, make_folder
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.encoding import LAYERED
from matte.media.pictures import Photo
from matte.media.streams import STDIN, check_stdout
from matte.photos.finishing import FinishOptions, PhotoFinisher
from matte.photos.jobs import PhotoJob
from matte.photos.locations import (
    Location,
    check_stored_output,
    check_stored_outputs,
    local_files,
    stored_files,
)
from matte.photos.outputs import REPORT_SUFFIXES, PhotoOutputs
from matte.photos.reader import PhotoReader
from matte.pipeline.run import BuiltPipeline, FoundAlpha, with_colours
from matte.pipeline.subject_masks import mask_paths
from matte.placement import remove_leftovers
from matte.stores.protocol import Store
from matte.stores.stored_file import StoredFile

T = TypeVar("T")


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
    """What became of one photo: the files written and the report, or the error.

    `retries` is how many calls to stores were made again since the outcome before.
    """

    job: PhotoJob
    written: tuple[Location, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)
    error: MatteError | None = None
    retries: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MattedPhoto:
    """A photo with its alpha, still to be finished and written."""

    photo: Photo
    found: FoundAlpha


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
        overlaps: bool = True,
        subject_masks: Path | None = None,
        reads_early: bool = True,
    ) -> None:
        """`ending` is that of standard output; `report` is a file that is written after the run.

        `overlaps`: whether several photos may be in memory at once. `subject_masks`: the rough mask
        of the subject, or the folder of the photos' masks. `reads_early`: whether the first photo
        is read at once; not where other processes matte the photos.
        """
        self.jobs = tuple(jobs)
        self.finish = finish
        self.stages = stages
        self._overwrite, self._subject_masks = overwrite, subject_masks
        self._ending, self._max_pixels, self._overlaps = ending, max_pixels, overlaps
        self._check(report)
        self._finisher = PhotoFinisher(finish, max_pixels)
        early = self.jobs if reads_early else ()
        reads_ahead = overlaps and len(self.jobs) > 1
        self._reader = PhotoReader(early, max_pixels, reads_ahead, self._check_stored)
        self._retries = self._stores_retries(self.jobs)

    def run(
        self,
        pipeline: BuiltPipeline,
        on_begin: Callable[[PhotoJob], None] = lambda _: None,
        coming: Iterator[PhotoJob] | None = None,
    ) -> Iterator[PhotoOutcome]:
        """Matte, finish and write the photos in their order; yield what became of each.

        `on_begin` is told each job before anything of it is written. `coming` yields other jobs
        than the batch's own, whose folders are there: each when the one before it is read.
        """
        jobs: Iterator[PhotoJob] = iter(self.jobs)
        overlaps = self._overlaps and (coming is not None or len(self.jobs) > 1)
        if coming is None:
            self.make_folders()
        else:
            jobs, ahead = tee(coming)
            self._reader = PhotoReader(ahead, self._max_pixels, overlaps, self._check_stored)
        with ThreadPoolExecutor(1, thread_name_prefix="writer") as writer:
            written: Future[PhotoOutcome] | None = None
            for job in jobs:
                on_begin(job)
                matted = self._guarded(job, partial(self._matte, pipeline, job))
                write = partial(self._write, job, self._outputs(job), matted)
                if not overlaps:
                    yield self._with_retries(write())
                    continue
                if written is not None:
                    yield self._with_retries(written.result())
                written = writer.submit(write)
            if written is not None:
                yield self._with_retries(written.result())

    def make_folders(self) -> None:
        """Make the folders of the results that are missing; remove what killed runs left there."""
        for folder in sorted(self._made_folders()):
            make_folder(folder)
        for folder in {path.parent for path in local_files(job.target for job in self.jobs)}:
            remove_leftovers(folder)

    def _outputs(self, job: PhotoJob) -> PhotoOutputs:
        """Return the files that a job writes."""
        s = self.stages
        return PhotoOutputs(job.target, self._ending, s.mask, s.trimap, s.alpha, s.foreground)

    def _matte(self, pipeline: BuiltPipeline, job: PhotoJob) -> MattedPhoto:
        """Read and matte one photo."""
        if isinstance(job.target, Path) and job.target != STREAM:
            check_output(job.target, self.replaces(job))
        photo = self._reader.read(job)
        stages = self.stages
        prior = pipeline.prior(photo, stages.mask_in, stages.trimap_in, _source_name(job))
        found = pipeline.find_alpha(photo, prior, _source_name(job))
        for warning in found.warnings:
            warnings.warn(warning, MatteWarning, stacklevel=2)
        return MattedPhoto(photo, found)

    def _write(
        self, job: PhotoJob, outputs: PhotoOutputs, matted: MattedPhoto | PhotoOutcome
    ) -> PhotoOutcome:
        """Finish and write one photo, unless it has failed already."""
        if isinstance(matted, PhotoOutcome):
            return matted
        overwrite, sources = self.replaces(job), self._sources([job])

        def write() -> PhotoOutcome:
            matte = with_colours(matted.photo, matted.found)
            written = outputs.write(matted.photo, matte, self._finisher, overwrite, sources)
            return PhotoOutcome(job, written.paths, matte.report | written.facts)

        return self._guarded(job, write)

    def _check_stored(self, job: PhotoJob) -> None:
        """Raise if a job's result is in its store already; this is asked where photos are read."""
        if isinstance(job.target, StoredFile):
            check_stored_output(job.target, self.replaces(job))

    def _with_retries(self, outcome: PhotoOutcome) -> PhotoOutcome:
        """Return the outcome with the calls to its stores that were made again."""
        before = self._retries
        self._retries = {**before, **self._stores_retries([outcome.job])}
        new = [self._retries[store] - before.get(store, 0) for store in self._retries]
        return replace(outcome, retries=sum(new)) if any(new) else outcome

    def _stores_retries(self, jobs: Iterable[PhotoJob]) -> dict[Store, int]:
        """Return how many calls the stores of jobs have made again."""
        places = stored_files(place for job in jobs for place in (job.source, job.target))
        return {place.store: place.store.retries for place in places}

    def _made_folders(self) -> set[Path]:
        """Return the folders on a disk that are made for results."""
        targets = local_files(job.target for job in self.jobs if job.makes_folder)
        return {target.parent for target in targets}

    def replaces(self, job: PhotoJob) -> bool:
        """Return whether a job's result may replace a file."""
        return self._overwrite or job.replaces

    def _guarded(self, job: PhotoJob, work: Callable[[], T]) -> T | PhotoOutcome:
        """Return what `work` returns; where it fails, the outcome with its error."""
        try:
            return work()
        except MatteError as error:
            return PhotoOutcome(job, error=self._with_name(error, job))
        except Exception as error:
            if not is_memory_error(error):
                raise
            return PhotoOutcome(job, error=self._with_name(out_of_memory(), job))

    def _sources(self, jobs: Iterable[PhotoJob]) -> list[Path]:
        """Return the files that the results of these jobs are made from."""
        photos = [job.source for job in jobs if job.source != STREAM]
        masks = mask_paths(self._subject_masks, map(str, photos))
        return [*local_files(photos), *self.finish.files(), *self.stages.sources(), *masks]

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
        if self.finish.premultiply and any(
            job.target.suffix.lower() in LAYERED for job in self.jobs
        ):
            cause = "--premultiply means nothing in .psd, which has masks, and .exr always is so"
            raise SettingError(cause, "leave it out")
        transparent = self.finish.transparent
        named = [out for job in self.jobs for out in self._outputs(job).paths(transparent)]
        stored = [(each, ends) for each, ends in named if isinstance(each, StoredFile)]
        outputs = [(path, ends) for path, ends in named if isinstance(path, Path)]
        if stored and outputs:
            remedy = "name local files alone, or leave --mask, --alpha and the like out"
            raise OutputError("files on a disk and in a store can't appear together", remedy)
        check_stored_outputs(stored, stored_files(job.source for job in self.jobs))
        if report == STREAM and any(job.target == STREAM for job in self.jobs):
            remedy = "name a file for one of them"
            raise OutputError("picture and report can't both go to standard output", remedy)
        if report is not None and report != STREAM:
            outputs.append((report, REPORT_SUFFIXES))
        check_names(outputs, self._sources(self.jobs))
        # Of several photos, those whose result is there already fail alone.
        many = len(self.jobs) > 1
        later = {job.target for job in self.jobs if many or job.makes_folder}
        if self._subject_masks is not None and not self._subject_masks.exists():
            raise PictureError(f"there is no {self._subject_masks}", "name a mask after mask:")
        made = self._made_folders()
        for path, _ in outputs:
            if path in later:
                continue
            if os.path.lexists(path) or not any(f.is_relative_to(path.parent) for f in made):
                check_output(path, self._overwrite)


def _source_name(job: PhotoJob) -> str:
    """Return what messages call a job's photo: its path, or standard input."""
    return STDIN if job.source == STREAM else str(job.source)
