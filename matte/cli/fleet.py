"""`matte fleet`: photos and videos matted by the workers of a Ray cluster."""

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.finishing import CANVAS_WORDS, canvas_options, parse_finish
from matte.cli.grouped import GroupedCommand, option
from matte.cli.many_pictures import print_summary, resume_options
from matte.cli.options import (
    GROUND,
    PLACE,
    cut_out_options,
    format_option,
    pack_options,
    print_line,
    print_path,
    trimap_free_option,
)
from matte.cli.outcomes import ShownOutcomes, print_outcome
from matte.cli.progress import progress_bar
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, VIDEO, setting_options
from matte.configs.loader import (
    MergedSettings,
    merge_settings,
    preset_names,
    with_modnet,
    with_preset,
    written_values,
)
from matte.errors import MatteError, MatteWarning, SettingError

if TYPE_CHECKING:
    from matte.fleet.cluster import WorkerSize
    from matte.fleet.request import FleetRequest
    from matte.fleet.run import FleetPlan, FleetRun
    from matte.photos.locations import Location
    from matte.photos.many import RunSummary


@click.command(cls=GroupedCommand, no_args_is_help=True)
@click.argument("source", type=PLACE, metavar="IN")
@click.argument("output", type=PLACE, metavar="OUT")
@option(
    "--address",
    metavar="auto|ray://…|HOST:PORT",
    group="Running",
    common=True,
    help="The Ray cluster to work on; auto: the one that this machine belongs to.  [default:"
    " workers on this machine alone]",
)
@option(
    "--workers",
    type=click.IntRange(1),
    group="Running",
    common=True,
    help="How many workers.  [default: as many as there is room for]",
)
@option(
    "--gpus-per-worker",
    type=click.FloatRange(0),
    default=0.0,
    group="Running",
    common=True,
    help="GPUs that each worker takes: 1, or 0.5 for two on one GPU. Its processors: --threads.",
)
@option(
    "--mixed",
    is_flag=True,
    group="Running",
    help="Let every worker choose how its networks run, as fits its processor: pixels then differ"
    " between machines.",
)
@option(
    "--variant",
    "variants",
    multiple=True,
    metavar="PRESET|FILE",
    group="Result",
    common=True,
    help="Make the results by this preset or settings file, in a folder of its name in OUT; may be"
    " given several times.",
)
@option(
    "--bg",
    metavar=GROUND,
    default="transparent",
    group="Result",
    common=True,
    help="The new background: a picture, a colour, or the photo's own, out of focus.  [default:"
    " transparent, a cut-out]",
)
@format_option("Format of the photos' results.  [default: png]")
@cut_out_options
@canvas_options
@option(
    "--table",
    type=PLACE,
    group="Stages in and out",
    common=True,
    help="The table of results and errors, Parquet.  [default: OUT/fleet-DATE-TIME.parquet]",
)
@option("--overwrite", is_flag=True, group="Result", common=True, help="Replace files that exist.")
@option("-q", "--quiet", is_flag=True, group="Running", help="Print no names of results.")
@resume_options
@setting_options(
    *BAND,
    *SEGMENTING,
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "budget_ms",
    *VIDEO,
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@trimap_free_option
@pack_options("cut", "bg", "crop", "premultiply", *CANVAS_WORDS)
@pack_options("many", "resume", "retry_failed")
@pack_options("workers", "workers", "gpus_per_worker", "address", "mixed")
def fleet(
    source: "Location",
    output: "Location",
    cut: dict[str, Any],
    variants: tuple[str, ...],
    ending: str | None,
    table: "Location | None",
    overwrite: bool,
    quiet: bool,
    settings: MergedSettings,
    trimap_free: bool,
    many: dict[str, bool],
    workers: dict[str, Any],
) -> None:
    """Matte the photos and videos in and below IN by many workers, into OUT.

    The workers are actors of a Ray cluster, or processes on this machine. IN and OUT are folders
    that all machines share, or s3://BUCKET/FOLDER. Results lie as `matte image IN -o OUT` leaves
    them, with its run file, so that either goes on with --resume; a table says what became of each.

    Example: matte fleet /shared/photos /shared/mattes --address auto --bg white --format jpg
    """
    from matte.fleet.cluster import RayCluster, import_ray
    from matte.fleet.run import FleetRun, plan_fleet
    from matte.photos.locations import absolute
    from matte.photos.resuming import ResumeOptions

    import_ray()
    if trimap_free:
        settings = with_modnet(settings)
    source, output = map(absolute, (source, output))
    size = _worker_size(workers, settings)
    settings = _with_threads(settings, size.processors)
    request = _make_request(source, output, cut, variants, f".{ending or 'png'}", settings)
    request = replace(request, overwrite=overwrite)
    began = time.perf_counter()
    with RayCluster(size, workers["address"]) as cluster:
        started = time.perf_counter() - began
        plan = plan_fleet(request, ResumeOptions(**many), cluster, workers["mixed"])
        _print_machines(plan, cluster.size.count, started, workers["mixed"], quiet)
        path = table or output / time.strftime("fleet-%Y%m%d-%H%M%S.parquet")
        run = FleetRun(plan, cluster, cluster.size.count)
        summary = _run(plan, run, path, overwrite, quiet)
    _print_end(run, summary, path, quiet)
    if summary.failed:
        cause = f"{summary.failed} of {plan.count} failed"
        raise MatteError(cause, f"see {path}; --retry-failed tries again")


def _worker_size(workers: Mapping[str, Any], settings: MergedSettings) -> "WorkerSize":
    """Return how many workers are asked for, and what each takes of a machine."""
    from matte.fleet.cluster import WorkerSize

    processors = settings.config.runtime.threads or 1
    return WorkerSize(workers["workers"] or 0, processors, workers["gpus_per_worker"])


def _with_threads(settings: MergedSettings, threads: int) -> MergedSettings:
    """Return the settings for workers with so many processors each."""
    config = settings.config
    return replace(
        settings, config=replace(config, runtime=replace(config.runtime, threads=threads))
    )


def _make_request(
    source: "Location",
    output: "Location",
    cut: Mapping[str, Any],
    names: Sequence[str],
    ending: str,
    settings: MergedSettings,
) -> "FleetRequest":
    """Return what the command asks for: one variant in OUT, or those that are named below it."""
    from matte.fleet.request import FleetRequest, FleetVariant, with_absolute_paths

    ground = cut["bg"]
    if os.path.isfile(ground):
        ground = os.path.abspath(ground)
    made = []
    for name, merged in _variant_settings(names, settings):
        finish = with_absolute_paths(parse_finish(cut, merged))
        results = output / name if name else output
        made.append(FleetVariant(name, merged, finish, results, ground, ending))
    return FleetRequest(source, tuple(made))


def _variant_settings(
    names: Sequence[str], settings: MergedSettings
) -> Iterator[tuple[str, MergedSettings]]:
    """Yield the name and settings of each variant; flags hold for all of them."""
    if not names:
        yield "", settings
        return
    known = written_values(settings.config)
    flags = {name: known[name] for name, origin in settings.origins.items() if origin == "flag"}
    used = set()
    for name in names:
        short = Path(name).stem if name.endswith(".toml") else name
        if short in used:
            raise SettingError(f"--variant {short} is named twice", "give every file its own name")
        used.add(short)
        if name in preset_names() or not name.endswith(".toml"):
            merged = with_preset(settings, name)
        else:
            merged = merge_settings(file=Path(name), flags=flags)
        yield short, _with_threads(merged, settings.config.runtime.threads or 1)


def _print_machines(
    plan: "FleetPlan", workers: int, started: float, is_mixed: bool, quiet: bool
) -> None:
    """Print what the work is done on, and how the networks run there."""
    from matte.fleet.checks import processor_kinds

    if quiet and not is_mixed:
        return
    if machines := plan.machines:
        count = f"{workers} workers on {len(machines)} machine{'s' * (len(machines) > 1)}"
        print_line(f"Ray began after {started:.1f} s: {count}", err=True)
    for report in machines if is_mixed else machines[:1]:
        where = f"{report.machine}: " if is_mixed else ""
        for variant, executions in report.executions.items():
            shown = ", ".join(f"{key} on {each}" for key, each in executions.items())
            print_line(f"{where}{variant and f'{variant}: '}{shown}", err=True)
    kinds = processor_kinds(machines)
    if len(kinds) > 1:
        told = f"the machines' processors differ ({'; '.join(kinds)}): so may the last bits"
        warnings.warn(MatteWarning(told), stacklevel=2)


def _run(
    plan: "FleetPlan", run: "FleetRun", path: "Location", overwrite: bool, quiet: bool
) -> "RunSummary":
    """Run a plan: print and count what becomes of each item, and write the table."""
    from matte.fleet.run import rows_before
    from matte.fleet.table import ResultTable
    from matte.photos.many import RunSummary

    done = sum(each.done_before for each in plan.remaining.values())
    failed = sum(len(each.failed_before) for each in plan.remaining.values())
    summary = RunSummary(0, done, failed)
    with (
        ResultTable(path, overwrite) as table,
        progress_bar("matte", quiet) as watch,
        closing(run.rows()) as rows,
    ):
        for row in rows_before(plan):
            table.add(row)
        for row in rows:
            table.add(row)
            outcome = row.as_outcome(plan.request)
            summary.add(outcome)
            watch(summary.count, plan.waiting)
            print_outcome(outcome, is_one=False, shown=ShownOutcomes(quiet, False, None, False))
            if row.warnings:
                warnings.warn(MatteWarning(row.warnings), stacklevel=2)
    summary.retries += plan.request.store_retries()
    return summary


def _print_end(run: "FleetRun", summary: "RunSummary", path: "Location", quiet: bool) -> None:
    """Print what a run came to, what was lost on its way, and the table's name."""
    print_summary(summary, quiet)
    lost = run.statistics
    if lost.lost_blocks and not quiet:
        again = f"{lost.begun_again} begun again"
        print_line(f"{lost.lost_blocks} blocks lost their worker, {again}", err=True)
    if not quiet:
        print_path(path, err=True)
