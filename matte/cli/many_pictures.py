"""What `matte image` does with many pictures: going on with a run, planning one, summing it up."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from matte.cli.grouped import option
from matte.cli.options import print_line
from matte.cli.settings import NumberOrWord
from matte.configs.fields import Group

if TYPE_CHECKING:
    from matte.photos.batch import Batch
    from matte.photos.jobs import PhotoJob
    from matte.photos.locations import Location
    from matte.photos.many import RunSummary
    from matte.photos.resuming import RemainingJobs
    from matte.pipeline.run import BuiltPipeline

F = TypeVar("F", bound=Callable[..., object])
GROUP: Group = "Many pictures"


def resume_options(command: F) -> F:
    """Add the options of runs that go on with earlier ones."""
    added = (
        option(
            "--resume",
            is_flag=True,
            group=GROUP,
            help="Go on with an earlier run into the same folder: what is done stays, pictures that"
            " have changed since are done again.",
        ),
        option(
            "--retry-failed",
            is_flag=True,
            group=GROUP,
            help="As --resume, and try the pictures again that failed.",
        ),
    )
    for add in reversed(added):
        command = add(command)
    return command


def many_options(command: F) -> F:
    """Add the options of runs over many pictures."""
    added = (
        resume_options,
        option(
            "--skip-existing",
            is_flag=True,
            group=GROUP,
            help="Leave pictures out whose result is there, whatever made it.",
        ),
        option(
            "--dry-run",
            is_flag=True,
            group=GROUP,
            help="Write nothing: print what would be done, and about how long it takes.",
        ),
        option(
            "--watch",
            is_flag=True,
            group=GROUP,
            help="Stay, and do what arrives in the folder, once it is whole; Ctrl-C ends it.",
        ),
        option(
            "--jobs",
            type=NumberOrWord(("auto",), 1, 256),
            metavar="NUMBER|auto",
            default=1,
            show_default=True,
            group=GROUP,
            help="Share the pictures among this many processes, which divide --threads and"
            " --max-memory; auto: as many as there are processors and memory for.",
        ),
    )
    for add in reversed(added):
        command = add(command)
    return command


def print_plan(
    remaining: "RemainingJobs",
    make_batch: "Callable[[Sequence[PhotoJob]], Batch]",
    open_pipeline: "Callable[[], BuiltPipeline]",
    quiet: bool,
) -> None:
    """Print what a run would do, and how long it would take."""
    from matte.photos.many import estimate_seconds

    for job in remaining.jobs if not quiet else ():
        print_line(f"{job.source} -> {job.target}")
    counts = f"{len(remaining.jobs)} to do, {remaining.done_before} done before"
    if remaining.failed_before:
        counts += f", {len(remaining.failed_before)} failed before"
    if remaining.jobs:
        seconds = estimate_seconds(remaining.jobs, make_batch, open_pipeline())
        counts += f"; about {_duration(seconds)}"
    click.echo(counts, err=True)


def print_skipped(files: "Sequence[Location]", output: "Location | None", verbose: bool) -> None:
    """Print how many files of the folders are no pictures, or which."""
    from matte.photos.jobs import skipped_files
    from matte.photos.locations import is_folder, local_files

    folders = [file for file in local_files(files) if is_folder(file)]
    skipped = [path for folder in folders for path in skipped_files(folder, output)]
    if verbose:
        for path in skipped:
            print_line(f"Note: skipped, no picture by its name: {path}", err=True)
    elif skipped:
        names = "names it" if len(skipped) == 1 else "names them"
        count = f"{len(skipped)} file{'s' * (len(skipped) > 1)}"
        print_line(f"Note: {count} skipped, no picture by the name: -v {names}", err=True)


def print_summary(summary: "RunSummary", quiet: bool) -> None:
    """Print what a run over several pictures came to."""
    if not quiet:
        print_line(summary, err=True)


def _duration(seconds: float) -> str:
    """Return a time in words.

    >>> _duration(42), _duration(4000)
    ('42 s', '1 h 7 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
