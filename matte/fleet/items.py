"""What a fleet works on: photos and clips, in blocks that one worker does at a time."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from matte.clips.output_files import default_output
from matte.compositing.backgrounds import FILM_SUFFIXES
from matte.errors import PictureError
from matte.fleet.request import FleetVariant
from matte.photos.jobs import PhotoJob, folder_jobs, plan_jobs
from matte.photos.locations import Location, is_folder
from matte.stores.stored_file import StoredFile

# A block is large, so that Ray's work for it doesn't count, and small, so that all workers end at
# about the same time, and little is on its way when one dies.
MAX_BLOCK_JOBS = 32
BLOCKS_PER_WORKER = 24


@dataclass(frozen=True, slots=True)
class FleetBlock:
    """Jobs of one variant that a worker does one after the other.

    The segments of the run file that it writes have names that begin with the block's.
    """

    name: str
    variant: str
    jobs: tuple[PhotoJob, ...]

    def parts(self, jobs: Sequence[PhotoJob]) -> list["FleetBlock"]:
        """Return blocks of a single job each, of those of this block's jobs."""
        numbers = {job.source: number for number, job in enumerate(self.jobs)}
        return [
            replace(self, name=f"{self.name}.{numbers[job.source]:04d}", jobs=(job,))
            for job in jobs
        ]


def is_clip(job: PhotoJob) -> bool:
    """Return whether a job's source is a video, by its name."""
    return _has_films_ending(job.source)


def _has_films_ending(location: Location) -> bool:
    """Return whether a place is a video, by its name."""
    return location.suffix.lower() in FILM_SUFFIXES


def find_jobs(source: Location, variant: FleetVariant) -> list[PhotoJob]:
    """Return a job for every photo and clip in and below a folder, or for one file."""

    def result_of_clip(clip: Location) -> Path:
        return default_output(Path(clip.name), variant.finish.transparent)

    is_file = isinstance(source, StoredFile) or source.is_file()
    if is_file and _has_films_ending(source):
        return [PhotoJob(source, variant.results / result_of_clip(source), makes_folder=True)]
    if not is_folder(source):
        jobs = plan_jobs([source], variant.results / f"{source.stem}-matte{variant.ending}", "")
        return [replace(job, makes_folder=True) for job in jobs]
    found: list[PhotoJob] = []
    with suppress(PictureError):
        found += plan_jobs([source], variant.results, variant.ending)
    with suppress(PictureError):
        found += folder_jobs(
            source,
            variant.results,
            Path(),
            lambda clip: result_of_clip(clip).suffix,
            FILM_SUFFIXES,
        )
    if not found:
        raise PictureError(f"no pictures or videos in {source}", "name another folder")
    return found


def make_blocks(
    jobs: Sequence[tuple[str, Sequence[PhotoJob]]], workers: int, run: str = ""
) -> list[FleetBlock]:
    """Return the jobs of each variant, by its name, in blocks for so many workers.

    A clip is a block by itself. `run` is what the blocks' names begin with; by default the time.
    """
    total = sum(len(of_variant) for _, of_variant in jobs)
    size = max(1, min(MAX_BLOCK_JOBS, total // (max(1, workers) * BLOCKS_PER_WORKER)))
    run = run or f"{time.time_ns():020d}"
    groups = [(name, group) for name, of_variant in jobs for group in _group_jobs(of_variant, size)]
    return [
        FleetBlock(f"{run}-{number:07d}", name, group)
        for number, (name, group) in enumerate(groups)
    ]


def _group_jobs(jobs: Sequence[PhotoJob], size: int) -> Iterator[tuple[PhotoJob, ...]]:
    """Yield clips one by one, which take the longest, and then photos by groups."""
    for job in jobs:
        if is_clip(job):
            yield (job,)
    photos = [job for job in jobs if not is_clip(job)]
    for first in range(0, len(photos), size):
        yield tuple(photos[first : first + size])
