"""`matte refine`: from a picture and its trimap to alpha."""

from pathlib import Path

import click

from matte.cli.options import FILE, beside, output_options, setting_options, told
from matte.configs.loader import Settled


@click.command(no_args_is_help=True)
@click.argument("image", type=FILE)
@click.argument("trimap", type=FILE)
@output_options("IMAGE-alpha.png; .tif holds 16 bits, .npy float32")
@setting_options("refiner")
def refine(
    image: Path, trimap: Path, output: Path | None, overwrite: bool, quiet: bool, settled: Settled
) -> None:
    """Find alpha from a picture and its trimap.

    TRIMAP is a grey picture: unknown from 85 to 169, background below, subject above.
    """
    from matte.arrays import same_size
    from matte.files import check_outputs, write_file
    from matte.media.pictures import ALPHA_WRITABLE, encode_alpha, read_image, read_trimap
    from matte.pipeline.build import load_refiner

    target = output or beside(image, "-alpha.png")
    check_outputs([(target, ALPHA_WRITABLE)], [image, trimap], overwrite)
    picture, known = read_image(image), read_trimap(trimap)
    same_size(("picture", picture), ("trimap", known))
    alpha = load_refiner(settled.config.refiner.refiner).refine(picture, known)
    write_file(target, encode_alpha(alpha, target.suffix), overwrite)
    if not quiet:
        told(target)
