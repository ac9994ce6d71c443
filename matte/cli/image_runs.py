"""The runs of `matte image`: once over its pictures, or on and on over a folder."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matte.cli.many_pictures import print_summary
from matte.cli.outcomes import print_outcome
from matte.cli.progress import progress_bar
from matte.configs.loader import MergedSettings
from matte.errors import MatteError, PictureError, SettingError
from matte.interrupts import deferred_interrupts

if TYPE_CHECKING:
    from matte.photos.batch import Batch, PhotoOutcome
    from matte.photos.finishing import FinishOptions
    from matte.photos.jobs import PhotoJob
    from matte.photos.many import RunSummary
    from matte.photos.resuming import RemainingJobs
    from matte.pipeline.run import BuiltPipeline

ONE_FILE_OPTIONS = "--mask-in, --trimap-in, --mask, --trimap, --alpha and --foreground"


@dataclass(frozen=True, slots=True)
class ShownOutcomes:
    """What is printed of each picture, and the report that is written at the end."""

    quiet: bool
    verbose: bool
    report: Path | None
    overwrite: bool


@dataclass(frozen=True, slots=True, eq=False)
class ImageRequest:
    """The pictures of a run, how they are worked on, and where their run file lies, if anywhere."""

    jobs: "Sequence[PhotoJob]"
    make_batch: "Callable[[Sequence[PhotoJob]], Batch]"
    results: Path | None
    fingerprint: Mapping[str, Any]
    plan: "Callable[[], Sequence[PhotoJob]]"
    folders: Sequence[Path]


def make_request(
    files: Sequence[Path],
    output: Path | None,
    suffix: str,
    finish: "FinishOptions",
    stages: Mapping[str, Path | None],
    shown: ShownOutcomes,
    settings: MergedSettings,
    may_be_empty: bool,
) -> ImageRequest:
    """Return what the command asks for; raise for what can't be.

    A folder without pictures is nothing that can be, unless it `may_be_empty`.
    """
    from matte.photos.batch import Batch, StageFiles
    from matte.photos.fingerprint import run_fingerprint
    from matte.photos.jobs import plan_jobs, results_folder
    from matte.pipeline.build import max_pixels
    from matte.pipeline.subject_masks import mask_place

    plan = partial(plan_jobs, files, output, suffix)
    results, jobs = results_folder(files, output), []
    with suppress(*((PictureError,) if may_be_empty else ())):
        jobs = plan()
    stage_files = StageFiles(**stages)
    if len(jobs) > 1 and stage_files.any:
        raise SettingError(f"{ONE_FILE_OPTIONS} belong to one FILE", "give one FILE")
    make_batch = partial(
        Batch,
        finish=finish,
        stages=stage_files,
        ending=suffix,
        overwrite=shown.overwrite,
        report=shown.report,
        max_pixels=max_pixels(settings.config),
        overlaps=settings.config.runtime.max_memory is None,
        subject_masks=mask_place(settings.config.segmentation.subject),
    )
    fingerprint = run_fingerprint(settings, finish, suffix) if results else {}
    folders = [file for file in files if os.path.isdir(file)]  # False for any odd name
    return ImageRequest(jobs, make_batch, results, fingerprint, plan, folders)


def run_pictures(
    request: ImageRequest,
    remaining: "RemainingJobs",
    open_pipeline: "Callable[[], BuiltPipeline]",
    shown: ShownOutcomes,
) -> None:
    """Do what remains to be done; raise if anything failed."""
    from matte.files import write_file
    from matte.photos.many import RunSummary
    from matte.photos.report import report_table, run_report

    summary = RunSummary(0, remaining.done_before, len(remaining.failed_before))
    batch = request.make_batch(remaining.jobs)
    is_one = len(request.jobs) == 1
    outcomes: list[PhotoOutcome] = []  # without a report they would only fill the memory
    if remaining.jobs:
        pipeline = open_pipeline()
        keeps = shown.report is not None or is_one
        _run_batch(request, batch, pipeline, summary, shown, outcomes if keeps else None)
        if shown.report is not None:
            data = run_report(batch, pipeline, outcomes, sys.argv[1:])
            if shown.report.suffix.lower() == ".csv":
                data = report_table(outcomes)
            write_file(shown.report, data, shown.overwrite)
    if is_one and outcomes and outcomes[0].error is not None:
        raise outcomes[0].error
    if not is_one:
        print_summary(summary, shown.quiet)
    if summary.failed:
        cause = f"{summary.failed} of {len(request.jobs)} pictures failed"
        again = "; --retry-failed tries again" if request.results else ""
        raise MatteError(cause, f"see above{again}")


def watch_pictures(
    request: ImageRequest,
    remaining: "RemainingJobs",
    open_pipeline: "Callable[[], BuiltPipeline]",
    shown: ShownOutcomes,
) -> None:
    """Do what remains, then whatever arrives, until the user ends it."""
    from matte.photos.many import RunSummary
    from matte.photos.run_file import source_state
    from matte.photos.watching import FolderWatch, arriving_batches

    if request.results is None or not request.folders or shown.report is not None:
        cause = "--watch is for a folder, has no end, and so no --report"
        raise SettingError(cause, "give a folder, and another one with -o")
    summary = RunSummary(0, remaining.done_before, len(remaining.failed_before))
    waiting = {job.source for job in remaining.jobs}
    known = {
        job.source: source_state(job.source) for job in request.jobs if job.source not in waiting
    }
    watch = FolderWatch(request.folders, request.plan, known)
    with suppress(KeyboardInterrupt), deferred_interrupts() as check:
        pipeline = open_pipeline()
        for jobs in arriving_batches(watch, check):
            _run_batch(request, request.make_batch(jobs), pipeline, summary, shown, check=check)
    print_summary(summary, shown.quiet)


def _run_batch(
    request: ImageRequest,
    batch: "Batch",
    pipeline: "BuiltPipeline",
    summary: "RunSummary",
    shown: ShownOutcomes,
    outcomes: "list[PhotoOutcome] | None" = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run a batch, print and record what becomes of each picture, and count it.

    `check` is called after each picture, and may end the run by raising.
    """
    from matte.photos.many import run_recorded
    from matte.photos.run_file import RunFile

    results = request.results
    run_file = RunFile(results, request.fingerprint) if results else None
    is_one = len(request.jobs) == 1
    with progress_bar("matte", shown.quiet or is_one) as watch:
        for done, outcome in enumerate(run_recorded(batch, pipeline, run_file, results), 1):
            summary.add(outcome)
            if outcomes is not None:
                outcomes.append(outcome)
            watch(done, len(batch.jobs))
            print_outcome(outcome, outcomes is not None and is_one, shown.quiet, shown.verbose)
            check()
