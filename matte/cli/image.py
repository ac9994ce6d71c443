"""`matte image`: pictures in, cut-outs or composites out."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.finishing import CANVAS_WORDS, canvas_options, parse_finish
from matte.cli.grouped import GroupedCommand, option
from matte.cli.image_runs import (
    RunProcesses,
    is_one_picture,
    make_request,
    run_pictures,
    watch_pictures,
)
from matte.cli.many_pictures import many_options, print_plan, print_skipped
from matte.cli.options import (
    FILE,
    GROUND,
    PLACE,
    cut_out_options,
    format_option,
    output_options,
    pack_options,
    start_opening,
    trimap_free_option,
    verbose_option,
)
from matte.cli.outcomes import ShownOutcomes
from matte.cli.settings import BAND, COMPOSITING, RUNNING, SEGMENTING, setting_options
from matte.configs.loader import MergedSettings, with_modnet
from matte.errors import SettingError

if TYPE_CHECKING:
    from matte.photos.locations import Location


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=PLACE, metavar="FILE…")
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
    " folders inside as the one with the pictures; or s3://BUCKET/FOLDER.",
    PLACE,
)
@format_option("Format of the result, if -o names none.  [default: png]")
@cut_out_options
@canvas_options
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
    help="Save what was done, by which networks and settings: .json, or a table, .csv; - prints the"
    " JSON.",
)
@many_options
@setting_options(
    *BAND,
    *SEGMENTING,
    "refiner",
    "tile",
    "mirrored",
    "modnet",
    "fallback",
    "budget_ms",
    "require_subject",
    *COMPOSITING,
    "max_pixels",
    "max_memory",
    *RUNNING,
)
@trimap_free_option
@verbose_option
@pack_options("cut", "bg", "crop", "premultiply", *CANVAS_WORDS)
@pack_options("many", "resume", "retry_failed", "skip_existing", "dry_run", "watch", "jobs")
@pack_options("stages", "mask_in", "trimap_in", "mask", "trimap", "alpha", "foreground")
def image(
    files: "tuple[Location, ...]",
    cut: dict[str, Any],
    output: "Location | None",
    ending: str | None,
    overwrite: bool,
    quiet: bool,
    stages: dict[str, Path | None],
    report: Path | None,
    settings: MergedSettings,
    trimap_free: bool,
    verbose: bool,
    many: dict[str, Any],
) -> None:
    """Cut subjects out of pictures, or put them on another background.

    The soft edge (hair, fur) is refined, and the subject's colours are cleaned of the old
    background. FILE may be a folder, for all the pictures in it, s3://BUCKET/FOLDER, or - for
    standard input. Prints the files that were written.

    Example: matte image portrait.jpg --bg beach.jpg -o holiday.jpg
    """
    if trimap_free:
        settings = with_modnet(settings)
    _refuse_contradictions(settings, stages)

    jobs = many.pop("jobs")
    opener = start_opening(settings.config) if jobs == 1 or is_one_picture(files) else None

    from matte.gpu.build import build_for_photos
    from matte.photos.many import plan_run
    from matte.photos.process_count import process_count
    from matte.photos.resuming import ResumeOptions

    _refuse_videos(files)
    finish, suffix = parse_finish(cut, settings), f".{ending or 'png'}"
    is_dry, watches = many.pop("dry_run"), many.pop("watch")
    shown = ShownOutcomes(quiet, verbose, report, overwrite)
    request = make_request(files, output, suffix, finish, stages, shown, settings, watches)
    if not quiet:
        print_skipped(files, output, verbose)
    remaining = plan_run(request.jobs, ResumeOptions(**many), request.results, request.fingerprint)
    open_pipeline = partial(build_for_photos, settings, opener)
    count = 1 if is_one_picture(files) else process_count(jobs, settings.config.runtime)
    processes = RunProcesses(request, settings, count, open_pipeline)
    if is_dry:
        print_plan(remaining, request.make_batch, open_pipeline, quiet)
        return
    if watches:
        watch_pictures(request, remaining, processes, shown)
    else:
        run_pictures(request, remaining, processes, shown)


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


def _refuse_videos(files: "Sequence[Location]") -> None:
    """Raise if one of the files is a video by its name."""
    from matte.compositing.backgrounds import FILM_SUFFIXES

    for file in files:
        if file.suffix.lower() in FILM_SUFFIXES:
            raise SettingError(f"{file} is a video", f"matte video {file}")
