"""`matte image`: pictures in, cut-outs or composites out."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import (
    FILE,
    GROUND,
    cut_out_options,
    output_options,
    pack_options,
    print_path,
    start_opening,
    trimap_free_option,
    verbose_option,
)
from matte.cli.progress import progress_bar
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, setting_options
from matte.configs.loader import MergedSettings, with_modnet
from matte.errors import MatteError, SettingError, printable

if TYPE_CHECKING:
    from matte.photos.batch import PhotoOutcome
    from matte.photos.finishing import FinishOptions
    from matte.photos.jobs import PhotoJob

ONE_FILE_OPTIONS = "--mask-in, --trimap-in, --mask, --trimap, --alpha and --foreground"
FORMATS = ("png", "webp", "tif", "avif", "jpg", "bmp")


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE…")
@option(
    "--bg",
    metavar=GROUND,
    default="transparent",
    group="Result",
    common=True,
    help="The new background: a picture, a colour (white, '#205080'), or the photo's own, out of"
    " focus (blur, blur:30, blur:3%).  [default: transparent, a cut-out]",
)
@output_options(
    "NAME-matte.png beside each picture; - for -",
    "File to write, - for standard output. With several pictures a folder, which gets the same"
    " folders inside as the one with the pictures.",
)
@option(
    "--format",
    "ending",
    type=click.Choice(FORMATS),
    group="Result",
    common=True,
    help="Format of the result, if -o names none.  [default: png]",
)
@cut_out_options
@option(
    "--mask-in",
    type=FILE,
    group="Stages in and out",
    help="A mask of your own, white where the subject is; the network that finds it doesn't run.",
)
@option(
    "--trimap-in",
    type=FILE,
    group="Stages in and out",
    help="A trimap of your own: white subject, black background, grey unknown.",
)
@option("--mask", type=FILE, group="Stages in and out", help="Save the mask.")
@option("--trimap", type=FILE, group="Stages in and out", help="Save the trimap.")
@option(
    "--alpha",
    type=FILE,
    group="Stages in and out",
    common=True,
    help="Save alpha, a grey picture: .png 8 bits, .tif 16 bits, .npy float32.",
)
@option(
    "--foreground",
    type=FILE,
    group="Stages in and out",
    help="Save the subject's own colours, without the old background's.",
)
@option(
    "--report",
    type=FILE,
    group="Stages in and out",
    help="Save what was done, by which networks and settings, as JSON.",
)
@setting_options(
    *BAND,
    *SEGMENTING,
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "budget_ms",
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@trimap_free_option
@verbose_option
@pack_options("cut", "bg", "crop", "premultiply")
@pack_options("stages", "mask_in", "trimap_in", "mask", "trimap", "alpha", "foreground")
def image(
    files: tuple[Path, ...],
    cut: dict[str, Any],
    output: Path | None,
    ending: str | None,
    overwrite: bool,
    quiet: bool,
    stages: dict[str, Path | None],
    report: Path | None,
    settings: MergedSettings,
    trimap_free: bool,
    verbose: bool,
) -> None:
    """Cut subjects out of pictures, or put them on another background.

    The soft edge (hair, fur) is refined, and the subject's colours are cleaned of the old
    background. FILE may be a folder, for all the pictures in it, or - for standard input. Prints
    the files that were written.

    Example: matte image portrait.jpg --bg beach.jpg -o holiday.jpg
    """
    if trimap_free:
        settings = with_modnet(settings)
    _refuse_contradictions(settings, stages)

    opener = start_opening(settings.config)

    from matte.files import write_file
    from matte.photos.batch import Batch, StageFiles
    from matte.photos.jobs import plan_jobs
    from matte.photos.report import run_report
    from matte.pipeline.build import build, max_pixels

    _refuse_videos(files)
    finish = _parse_finish(cut, settings)
    suffix = f".{ending or 'png'}"
    jobs = plan_jobs(files, output, suffix)
    stage_files = StageFiles(**stages)
    if len(jobs) > 1 and stage_files.any:
        raise SettingError(f"{ONE_FILE_OPTIONS} belong to one FILE", "give one FILE")
    batch = Batch(
        jobs,
        finish,
        stage_files,
        ending=suffix,
        overwrite=overwrite,
        report=report,
        max_pixels=max_pixels(settings.config),
    )
    pipeline = build(settings, opener)
    outcomes = []
    with progress_bar("matte", quiet or len(jobs) == 1) as watch:
        for outcome in batch.run(pipeline):
            outcomes.append(outcome)
            watch(len(outcomes), len(jobs))
            _print_outcome(outcome, jobs, quiet, verbose)
    if report is not None:
        write_file(report, run_report(batch, pipeline, outcomes, sys.argv[1:]), overwrite)
    _raise_failures(outcomes)


def _parse_finish(cut: Mapping[str, Any], settings: MergedSettings) -> "FinishOptions":
    """Return how the matted picture is finished: its background, its margin, its colours."""
    from matte.compositing.backgrounds import parse_background
    from matte.configs.lengths import parse_length
    from matte.photos.finishing import FinishOptions

    background, crop = parse_background(cut["bg"]), cut["crop"]
    margin = None if crop is None else parse_length(crop)
    return FinishOptions(background, settings.config.compositing, cut["premultiply"], margin)


def _refuse_contradictions(settings: MergedSettings, stages: Mapping[str, Path | None]) -> None:
    """Raise if options exclude each other: a stage is asked for that the run doesn't have."""
    named = {name for name, path in stages.items() if path is not None}
    if settings.config.modnet.modnet:
        if named & {"mask", "trimap", "mask_in", "trimap_in"}:
            raise SettingError("a run with --modnet has no mask and no trimap", "leave them out")
        if settings.config.runtime.refiner_protocol != "auto":
            raise SettingError(
                "a run with --modnet has no refiner, so --refiner-protocol means nothing",
                "give --modnet-protocol official or native",
            )
    if {"mask_in", "trimap_in"} <= named:
        raise SettingError("--trimap-in takes the place of --mask-in", "give one of them")
    if {"mask", "trimap_in"} <= named:
        raise SettingError("with --trimap-in no mask is made", "leave --mask out")


def _refuse_videos(files: Sequence[Path]) -> None:
    """Raise if one of the files is a video by its name."""
    from matte.compositing.backgrounds import FILM_SUFFIXES

    for file in files:
        if file.suffix.lower() in FILM_SUFFIXES:
            raise SettingError(f"{file} is a video", f"matte video {file}")


def _print_outcome(
    outcome: "PhotoOutcome", jobs: "Sequence[PhotoJob]", quiet: bool, verbose: bool
) -> None:
    """Print what became of a picture: its error or summary, and the files that were written."""
    from matte.files import STREAM

    if outcome.error is not None and len(jobs) > 1:
        click.echo(f"Error: {outcome.error}", err=True)
    if outcome.error is None and verbose:
        click.echo(_summary(outcome.report), err=True)
    streams = any(job.target == STREAM for job in jobs)
    for path in outcome.written if not quiet else ():
        print_path(path, err=streams)


def _raise_failures(outcomes: "list[PhotoOutcome]") -> None:
    """Raise the error of a single picture that failed, or the count of those that did."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors:
        several = MatteError(f"{len(errors)} of {len(outcomes)} pictures failed", "see above")
        raise errors[0] if len(outcomes) == 1 else several


def _summary(report: dict[str, Any]) -> str:
    """Return a line on the picture, one on how it was refined, and one on each network."""
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report["ms"].items())
    unknown = f"; {report['unknown']:.1%} unknown ({report['band']})" if "band" in report else ""
    size = f"{report['width']}×{report['height']}"
    lines = [f"{size}, preset {report['preset']}{unknown}; {times}"]
    if refined := report.get("refined"):
        tiles = f", {refined['tiles']} of {refined['side']} pixels" if "tiles" in refined else ""
        lines.append(f"  refined: {refined['way']}{tiles}; {_refining_reason(refined)}")
    for row in report["networks"].values():
        where = f"{row['backend']}, {row['device']}, {row['precision']}"
        lines.append(printable(f"  {row['name']} on {where}: {row['why']}"))
    return "\n".join(lines)


def _refining_reason(refined: dict[str, Any]) -> str:
    """Return why a picture was refined as it was: whole, or in which parts."""
    costs = ", ".join(f"{way} {mega:g}" for way, mega in refined["megapixels"].items())
    return f"{refined['why']}, in megapixels: {costs}" if costs else str(refined["why"])
