"""`matte trimap`: from a mask to its trimap."""

from pathlib import Path

import click

from matte.cli.options import FILE, beside, output_options, setting_options, told
from matte.configs.loader import Settled


@click.command(no_args_is_help=True)
@click.argument("mask", type=FILE)
@output_options("MASK-trimap.png beside the mask")
@setting_options("k", "iterations", "shape")
def trimap(mask: Path, output: Path | None, overwrite: bool, quiet: bool, settled: Settled) -> None:
    """Draw the unknown band around a mask.

    In the trimap 0 is background, 128 unknown, 255 subject.
    """
    from matte.files import check_outputs, write_file
    from matte.media.pictures import WRITABLE, encode, read_mask
    from matte.trimap.morphology import make_trimap

    target = output or beside(mask, "-trimap.png")
    check_outputs([(target, WRITABLE)], [mask], overwrite)
    band = make_trimap(read_mask(mask), settled.config.trimap)
    write_file(target, encode(band, target.suffix), overwrite)
    if not quiet:
        told(target)
