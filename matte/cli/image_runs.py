"""The runs of `matte image`: once over its pictures, or on and on over a folder."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matte.cli.many_pictures import print_summary
from matte.cli.outcomes import ShownOutcomes, print_outcome
from matte.cli.progress import progress_bar
from matte.configs.loader import MergedSettings, written_values
from matte.errors import MatteError, PictureError, SettingError
from matte.interrupts import deferred_interrupts

if TYPE_CHECKING:
    from matte.photos.batch import Batch, PhotoOutcome
    from matte.photos.finishing import FinishOptions
    from matte.photos.jobs import PhotoJob
    from matte.photos.locations import Location
    from matte.photos.many import OneProcess, RunSummary
    from matte.photos.processes import PhotoProcesses
    from matte.photos.resuming import RemainingJobs
    from matte.pipeline.run import BuiltPipeline
    from matte.stores.protocol import Store

ONE_FILE_OPTIONS = "--mask-in, --trimap-in, --mask, --trimap, --alpha and --foreground"


@dataclass(frozen=True, slots=True, eq=False)
class ImageRequest:
    """The pictures of a run, how they are worked on, and where their run file lies, if anywhere."""

    jobs: "Sequence[PhotoJob]"
    make_batch: "Callable[..., Batch]"
    results: "Location | None"
    fingerprint: Mapping[str, Any]
    plan: "Callable[[], Sequence[PhotoJob]]"
    folders: Sequence[Path]
    stores: "Sequence[Store]"


def make_request(
    files: "Sequence[Location]",
    output: "Location | None",
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
    from matte.photos.locations import is_folder, local_files, stored_files
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
    folders = [file for file in local_files(files) if is_folder(file)]
    stores = [each.store for each in stored_files([*files, *([output] if output else [])])]
    return ImageRequest(jobs, make_batch, results, fingerprint, plan, folders, stores)


@dataclass(frozen=True, slots=True, eq=False)
class RunProcesses:
    """What works on the pictures of a request: this process, or as many others."""

    request: ImageRequest
    settings: MergedSettings
    count: int
    open_pipeline: "Callable[[], BuiltPipeline]"

    def open(self, count: int) -> "OneProcess | PhotoProcesses":
        """Return this process for one picture or one process, else others."""
        from matte.photos.many import OneProcess

        request = self.request
        if min(self.count, count) == 1:
            return OneProcess(self.open_pipeline, request.results, request.fingerprint)

        from matte.photos.process_count import executions_for_processes, settings_per_process
        from matte.photos.process_work import SharedWork
        from matte.photos.processes import PhotoProcesses

        settings = settings_per_process(self.settings, self.count)
        executions = executions_for_processes(self.settings, self.count)
        work = SharedWork(
            request.make_batch, settings, executions, request.results, request.fingerprint
        )
        return PhotoProcesses(self.count, work)


def is_one_picture(files: "Sequence[Location]") -> bool:
    """Return whether the files of a command are one picture, and no folder."""
    from matte.photos.locations import is_folder

    return len(files) == 1 and not is_folder(files[0])


def run_pictures(
    request: ImageRequest,
    remaining: "RemainingJobs",
    processes: RunProcesses,
    shown: ShownOutcomes,
) -> None:
    """Do what remains to be done; raise if anything failed."""
    from matte.files import STREAM
    from matte.photos.many import EXISTS, RunSummary

    summary = RunSummary(0, remaining.done_before, len(remaining.failed_before))
    summary.retries = sum(store.retries for store in request.stores)
    count = min(processes.count, max(1, len(remaining.jobs)))
    if count > 1 and any(job.source == STREAM for job in remaining.jobs):
        raise SettingError("several processes can't share -", "leave it or --jobs out")
    batch = request.make_batch(remaining.jobs, reads_early=count == 1)
    is_one = len(request.jobs) == 1
    outcomes: list[PhotoOutcome] = []  # without a report they would only fill the memory
    if remaining.jobs:
        keeps = shown.report is not None or is_one
        with processes.open(count) as opened:
            done = opened.run(batch)
            _show_outcomes(
                done, len(batch.jobs), is_one, summary, shown, outcomes if keeps else None
            )
            if shown.report is not None:
                facts = {**opened.facts, "settings": written_values(processes.settings.config)}
                retries = summary.retries if request.stores else None
                _write_report(shown, batch, facts, outcomes, retries)
    if is_one and outcomes and outcomes[0].error is not None:
        raise outcomes[0].error
    if not is_one:
        print_summary(summary, shown.quiet)
    if summary.failed:
        cause = f"{summary.failed} of {len(request.jobs)} pictures failed"
        is_any_to_retry = summary.failed > summary.causes[EXISTS] and request.results
        again = "; --retry-failed tries again" if is_any_to_retry else ""
        raise MatteError(cause, f"see above{again}")


def _write_report(
    shown: ShownOutcomes,
    batch: "Batch",
    facts: dict[str, Any],
    outcomes: "list[PhotoOutcome]",
    store_retries: int | None,
) -> None:
    """Write the report of a run."""
    from matte.files import STREAM, write_file
    from matte.media.streams import write_stdout
    from matte.photos.report import in_order, report_table, run_report

    assert shown.report is not None
    if shown.report.suffix.lower() == ".csv":
        data = report_table(in_order(batch, outcomes))
    else:
        data = run_report(batch, facts, outcomes, sys.argv[1:], store_retries)
    if shown.report == STREAM:
        write_stdout(data)
    else:
        write_file(shown.report, data, shown.overwrite)


def watch_pictures(
    request: ImageRequest,
    remaining: "RemainingJobs",
    processes: RunProcesses,
    shown: ShownOutcomes,
) -> None:
    """Do what remains, then whatever arrives, until the user ends it."""
    from matte.photos.many import RunSummary
    from matte.photos.run_file import source_state
    from matte.photos.watching import FolderWatch, arriving_batches

    if request.stores:
        remedy = "run it again with --resume when pictures have come"
        raise SettingError("--watch is for folders on a disk, not in a store", remedy)
    if not request.folders:
        raise SettingError("--watch is for a folder", "give one")
    if request.results is None:
        raise SettingError("--watch needs a folder for the results", "give one with -o")
    if shown.report is not None:
        raise SettingError("--watch has no end, and so no --report", "leave it out")
    summary = RunSummary(0, remaining.done_before, len(remaining.failed_before))
    waiting = {job.source for job in remaining.jobs}
    known = {
        job.source: source_state(job.source) for job in request.jobs if job.source not in waiting
    }
    watch = FolderWatch(request.folders, request.plan, known)
    with (
        suppress(KeyboardInterrupt),
        deferred_interrupts() as check,
        processes.open(processes.count) as opened,
    ):
        opened.begin()
        for jobs in arriving_batches(watch, check):
            batch = request.make_batch(jobs, reads_early=processes.count == 1)
            is_one = len(request.jobs) == 1
            _show_outcomes(opened.run(batch), len(jobs), is_one, summary, shown, check=check)
    print_summary(summary, shown.quiet)


def _show_outcomes(
    found: "Iterable[PhotoOutcome]",
    count: int,
    is_one: bool,
    summary: "RunSummary",
    shown: ShownOutcomes,
    outcomes: "list[PhotoOutcome] | None" = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Print what becomes of each of so many pictures, and count it.

    `check` is called after each picture, and may end the run by raising.
    """
    from matte.photos.many import EXISTS, cause_alone

    with progress_bar("matte", shown.quiet or is_one) as watch:
        for done, outcome in enumerate(found, 1):
            summary.add(outcome)
            if outcomes is not None:
                outcomes.append(outcome)
            watch(done, count)
            # A run again over its own results says it once, and the summary how many there are.
            if shown.verbose or summary.causes[EXISTS] <= 1 or cause_alone(outcome) != EXISTS:
                print_outcome(outcome, outcomes is not None and is_one, shown)
            check()
