"""`matte refine`: from a picture and its trimap to alpha."""

from dataclasses import replace
from pathlib import Path

import click

from matte.cli.options import FILE, beside, output_options, setting_options, told
from matte.configs.loader import Settled
from matte.configs.settings import RefinerSettings


@click.command(no_args_is_help=True)
@click.argument("image", type=FILE)
@click.argument("trimap", type=FILE)
@output_options("IMAGE-alpha.png; .tif holds 16 bits, .npy float32")
@click.option("--weights", metavar="NAME|FILE", help="The network to run; the same as --refiner.")
@setting_options("refiner", "protocol", "backend", "threads")
def refine(
    image: Path,
    trimap: Path,
    weights: str | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    settled: Settled,
) -> None:
    """Find alpha from a picture and its trimap.

    TRIMAP is a grey picture: unknown from 85 to 169, background below, subject above.
    """
    from matte.arrays import same_size
    from matte.files import check_outputs, write_file
    from matte.media.pictures import ALPHA_WRITABLE, encode_alpha, read_image, read_trimap
    from matte.pipeline.build import build_refiner

    target = output or beside(image, "-alpha.png")
    check_outputs([(target, ALPHA_WRITABLE)], [image, trimap], overwrite)
    picture, known = read_image(image), read_trimap(trimap)
    same_size(("picture", picture), ("trimap", known))
    config = settled.config
    if weights is not None:
        config = replace(config, refiner=RefinerSettings(weights))
    alpha = build_refiner(config)[0].refine(picture, known)
    write_file(target, encode_alpha(alpha, target.suffix), overwrite)
    if not quiet:
        told(target)
