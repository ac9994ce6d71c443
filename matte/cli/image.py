"""`matte image`: pictures in, cut-outs or composites out."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matte.cli.options import FILE, beside, output_options, setting_options, told
from matte.configs.loader import Settled, with_modnet
from matte.errors import MatteError, SettingError

if TYPE_CHECKING:
    from matte.stages import Matte


@click.command(no_args_is_help=True)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE…")
@click.option("--bg", metavar="PICTURE|COLOUR", help="The new background; without: a cut-out.")
@output_options("FILE-matte.png beside the picture; with several FILEs a folder")
@click.option("--mask", type=FILE, help="Save the segmenter's mask.")
@click.option("--trimap", type=FILE, help="Save the trimap.")
@click.option("--alpha", type=FILE, help="Save alpha: .png 8-bit, .tif 16-bit, .npy float32.")
@click.option("--foreground", type=FILE, help="Save the subject's estimated colours.")
@setting_options(
    "segmenter",
    "size",
    "threshold",
    "k",
    "iterations",
    "shape",
    "refiner",
    "modnet",
    "protocol",
    "backend",
    "threads",
)
@click.option("--trimap-free", is_flag=True, help="No mask, no trimap: the shipped MODNet.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what ran and how long it took.")
def image(
    files: tuple[Path, ...],
    bg: str | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    mask: Path | None,
    trimap: Path | None,
    alpha: Path | None,
    foreground: Path | None,
    settled: Settled,
    trimap_free: bool,
    verbose: bool,
) -> None:
    """Cut subjects out of pictures.

    With --bg they are put on another background. The unknown band around the mask is refined, and
    the subject's colours are cleaned of the old background. Prints the files that were written.
    """
    if len(files) > 1 and (mask or trimap or alpha or foreground):
        raise SettingError(
            "--mask, --trimap, --alpha and --foreground belong to one FILE", "give one FILE"
        )
    if trimap_free:
        settled = with_modnet(settled)
    if settled.config.modnet.modnet and (mask or trimap):
        raise SettingError("a run with --modnet has no mask and no trimap", "leave them out")

    from matte.files import check_outputs
    from matte.pipeline.build import build
    from matte.pipeline.outputs import Outputs, background_file, read_background

    background = read_background(bg) if bg is not None else None
    jobs = {
        file: Outputs(
            _target(file, output, len(files) > 1), background, mask, trimap, alpha, foreground
        )
        for file in files
    }
    used = background_file(bg) if bg is not None else None
    sources = [*files, *([used] if used else [])]
    check_outputs((path for job in jobs.values() for path in job.paths()), sources, overwrite)

    pipeline = build(settled)
    failed = 0
    for file, outputs in jobs.items():
        try:
            matte = pipeline(file)
            written = outputs.write(matte, overwrite)
        except MatteError as error:
            if len(files) == 1:
                raise
            click.echo(f"Error: {error}", err=True)
            failed += 1
            continue
        if not matte.report["subject"]:
            click.echo(f"Warning: no subject found in {file}: alpha is 0 everywhere", err=True)
        if verbose:
            click.echo(_summary(matte), err=True)
        for path in written if not quiet else ():
            told(path)
    if failed:
        raise MatteError(f"{failed} of {len(files)} pictures failed", "see above")


def _target(file: Path, output: Path | None, many: bool) -> Path:
    if output is None:
        return beside(file, "-matte.png")
    if os.path.isdir(output):
        return output / f"{file.stem}-matte.png"
    if many:
        raise SettingError(f"{output} is not a folder", "with several FILEs, -o names a folder")
    return output


def _summary(matte: "Matte") -> str:
    report = matte.report
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report["ms"].items())
    ran = ", ".join(f"{name} on {backend}" for name, backend in report["backends"].items())
    unknown = f"; {report['unknown']:.1%} unknown" if "unknown" in report else ""
    return (
        f"{report['width']}×{report['height']}, preset {report['preset']}, {ran}{unknown}; {times}"
    )
