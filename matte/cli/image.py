"""`matte image`: pictures in, cut-outs or composites out."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matte.cli.options import FILE, setting_options, told
from matte.configs.loader import Settled, with_modnet
from matte.errors import MatteError, SettingError

if TYPE_CHECKING:
    from matte.pipeline.batch import Outcome

ENDINGS = ("png", "webp", "tif", "avif", "jpg", "bmp")


@click.command(no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE…")
@click.option(
    "--bg",
    metavar="PICTURE|COLOUR|blur[:RADIUS]|transparent",
    default="transparent",
    help="The new background; blur: the photo's own, out of focus (blur:30, blur:3%).  "
    "[default: transparent, a cut-out]",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="File to write, - for standard output; with several pictures a folder, in which a folder's"
    " tree is mirrored.  [default: NAME-matte.png beside each picture; - for -]",
)
@click.option(
    "--format",
    "ending",
    type=click.Choice(ENDINGS),
    help="Format where -o names none.  [default: png]",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Don't print the names of the files.")
@click.option("--crop", metavar="MARGIN", help="Keep the subject and a margin: 0, 20, 5% of it.")
@click.option("--premultiply", is_flag=True, help="A cut-out's colours are multiplied with alpha.")
@click.option("--mask-in", type=FILE, help="Where the subject is: no segmenter is asked.")
@click.option("--trimap-in", type=FILE, help="What is known: neither mask nor band are made.")
@click.option("--mask", type=FILE, help="Save the segmenter's mask.")
@click.option("--trimap", type=FILE, help="Save the trimap.")
@click.option("--alpha", type=FILE, help="Save alpha: .png 8-bit, .tif 16-bit, .npy float32.")
@click.option("--foreground", type=FILE, help="Save the subject's estimated colours.")
@click.option("--report", type=FILE, help="Save what was done, and with what, as JSON.")
@setting_options(
    "k",
    "iterations",
    "erode",
    "dilate",
    "shape",
    "width",
    "segmenter",
    "size",
    "threshold",
    "keep_parts",
    "fill_holes",
    "open_mask",
    "close_mask",
    "smooth_mask",
    "refiner",
    "modnet",
    "fallback",
    "budget_ms",
    "fit",
    "blend",
    "max_pixels",
    "protocol",
    "backend",
    "precision",
    "threads",
)
@click.option("--trimap-free", is_flag=True, help="No mask, no trimap: the shipped MODNet.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what ran and how long it took.")
def image(
    files: tuple[Path, ...],
    bg: str,
    output: Path | None,
    ending: str | None,
    overwrite: bool,
    quiet: bool,
    crop: str | None,
    premultiply: bool,
    mask_in: Path | None,
    trimap_in: Path | None,
    mask: Path | None,
    trimap: Path | None,
    alpha: Path | None,
    foreground: Path | None,
    report: Path | None,
    settled: Settled,
    trimap_free: bool,
    verbose: bool,
) -> None:
    """Cut subjects out of pictures.

    With --bg they are put on another background. The unknown band around the mask is refined, and
    the subject's colours are cleaned of the old background. FILE may be a folder, whose pictures
    are all taken, or - for standard input. Prints the files that were written.

    Example: matte image portrait.jpg --bg beach.jpg -o holiday.jpg
    """
    if trimap_free:
        settled = with_modnet(settled)
    if settled.config.modnet.modnet and (mask or trimap or mask_in or trimap_in):
        raise SettingError("a run with --modnet has no mask and no trimap", "leave them out")
    if mask_in and trimap_in:
        raise SettingError("--trimap-in takes the place of --mask-in", "give one of them")
    if mask and trimap_in:
        raise SettingError("with --trimap-in no mask is made", "leave --mask out")

    from matte.compositing.backgrounds import parse_background
    from matte.configs.lengths import parse_length
    from matte.files import write_file
    from matte.pipeline.batch import Batch, Stages
    from matte.pipeline.finishing import Finish
    from matte.pipeline.jobs import STREAM, plan
    from matte.pipeline.reports import run_report

    background = parse_background(bg)
    margin = None if crop is None else parse_length(crop)
    finish = Finish(background, settled.config.compositing, premultiply, margin)
    suffix = f".{ending or 'png'}"
    jobs = plan(files, output, suffix)
    stages = Stages(mask_in, trimap_in, mask, trimap, alpha, foreground)
    if len(jobs) > 1 and stages.any:
        raise SettingError(
            "--mask-in, --trimap-in, --mask, --trimap, --alpha and --foreground belong to one FILE",
            "give one FILE",
        )
    batch = Batch(jobs, settled, finish, stages, suffix, overwrite, report)
    streams = any(job.target == STREAM for job in jobs)
    outcomes = []
    for outcome in _with_progress(batch.run(), len(jobs), quiet):
        outcomes.append(outcome)
        if outcome.error is not None and len(jobs) > 1:
            click.echo(f"Error: {outcome.error}", err=True)
        if outcome.error is None and verbose:
            click.echo(_summary(outcome.report), err=True)
        for path in outcome.written if not quiet else ():
            told(path, err=streams)
    if report is not None:
        write_file(report, run_report(batch, outcomes, sys.argv[1:]), overwrite)
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors:
        several = MatteError(f"{len(errors)} of {len(jobs)} pictures failed", "see above")
        raise errors[0] if len(jobs) == 1 else several


def _with_progress(outcomes: "Iterable[Outcome]", total: int, quiet: bool) -> "Iterator[Outcome]":
    """The same, with a bar on a terminal where there are several; silence in a pipe."""
    if total == 1 or quiet or not sys.stderr.isatty():
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(
        outcomes, "matte", total, console=Console(stderr=True), transient=True, disable=False
    )


def _summary(report: dict[str, Any]) -> str:
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report["ms"].items())
    networks = report["networks"].values()
    ran = ", ".join(f"{row['name']} on {row['backend']}" for row in networks)
    unknown = f"; {report['unknown']:.1%} unknown ({report['band']})" if "band" in report else ""
    size = f"{report['width']}×{report['height']}"
    return f"{size}, preset {report['preset']}, {ran}{unknown}; {times}"
