"""`matte image`: pictures in, cut-outs or composites out."""

import sys
from pathlib import Path
from typing import Any

import click

from matte.cli.options import (
    BAND,
    FILE,
    GROUND,
    RUNNING,
    SEGMENTING,
    cut_options,
    output_options,
    setting_options,
    told,
)
from matte.cli.progress import progress_bar
from matte.configs.loader import Settled, with_modnet
from matte.errors import MatteError, SettingError

ENDINGS = ("png", "webp", "tif", "avif", "jpg", "bmp")


@click.command(no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE…")
@click.option(
    "--bg",
    metavar=GROUND,
    default="transparent",
    help="The new background; blur: the photo's own, out of focus (blur:30, blur:3%).  "
    "[default: transparent, a cut-out]",
)
@output_options(
    "NAME-matte.png beside each picture; - for -",
    "File to write, - for standard output; with several pictures a folder, in which a folder's"
    " tree is mirrored.",
)
@click.option(
    "--format",
    "ending",
    type=click.Choice(ENDINGS),
    help="Format where -o names none.  [default: png]",
)
@cut_options
@click.option("--mask-in", type=FILE, help="Where the subject is: no segmenter is asked.")
@click.option("--trimap-in", type=FILE, help="What is known: neither mask nor band are made.")
@click.option("--mask", type=FILE, help="Save the segmenter's mask.")
@click.option("--trimap", type=FILE, help="Save the trimap.")
@click.option("--alpha", type=FILE, help="Save alpha: .png 8-bit, .tif 16-bit, .npy float32.")
@click.option("--foreground", type=FILE, help="Save the subject's estimated colours.")
@click.option("--report", type=FILE, help="Save what was done, and with what, as JSON.")
@setting_options(
    *BAND,
    *SEGMENTING,
    "refiner",
    "tile",
    "modnet",
    "fallback",
    "budget_ms",
    "fit",
    "blend",
    "max_pixels",
    "max_memory",
    *RUNNING,
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

    import cv2  # noqa: F401  # not while another thread loads a runtime: both are native code

    from matte.pipeline.networks import Opening

    opening = Opening(settled.config)  # while the rest is imported and the picture is read

    from matte.compositing.backgrounds import FILM_SUFFIXES, parse_background
    from matte.configs.lengths import parse_length
    from matte.files import STREAM, write_file
    from matte.photos.batch import Batch, Stages
    from matte.photos.finishing import Finish
    from matte.photos.jobs import plan
    from matte.photos.report import run_report

    films = [file for file in files if file.suffix.lower() in FILM_SUFFIXES]
    if films:
        raise SettingError(f"{films[0]} is a video", f"matte video {films[0]}")
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
    batch = Batch(jobs, settled, finish, stages, suffix, overwrite, report, opening)
    streams = any(job.target == STREAM for job in jobs)
    outcomes = []
    with progress_bar("matte", quiet or len(jobs) == 1) as watch:
        for outcome in batch.run():
            outcomes.append(outcome)
            watch(len(outcomes), len(jobs))
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


def _summary(report: dict[str, Any]) -> str:
    """One line on the picture, and one on each network."""
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report["ms"].items())
    unknown = f"; {report['unknown']:.1%} unknown ({report['band']})" if "band" in report else ""
    size = f"{report['width']}×{report['height']}"
    lines = [f"{size}, preset {report['preset']}{unknown}; {times}"]
    if refined := report.get("refined"):
        tiles = f", {refined['tiles']} of {refined['side']} pixels" if "tiles" in refined else ""
        lines.append(f"  refined: {refined['way']}{tiles}; {_why(refined)}")
    for row in report["networks"].values():
        way = f"{row['backend']}, {row['device']}, {row['precision']}"
        lines.append(f"  {row['name']} on {way}: {row['why']}")
    return "\n".join(lines)


def _why(refined: dict[str, Any]) -> str:
    """Why a picture was refined as it was."""
    seen = ", ".join(f"{way} {mega:g}" for way, mega in refined["megapixels"].items())
    return f"{refined['why']}, in megapixels: {seen}" if seen else str(refined["why"])
