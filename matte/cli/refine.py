"""`matte refine`: from a picture and its trimap to alpha."""

from dataclasses import replace
from pathlib import Path

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, output_options, path_beside, print_path
from matte.cli.settings import RUNNING, setting_options
from matte.configs.loader import MergedSettings


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("image", type=FILE)
@click.argument("trimap", type=FILE)
@output_options("IMAGE-alpha.png; .tif holds 16 bits, .npy float32")
@option(
    "--weights",
    metavar="NAME|FILE",
    group="Refining",
    common=True,
    help="The network to run; the same as --refiner.",
)
@setting_options("refiner", "tile", "mirrored", "max_pixels", "max_memory", *RUNNING)
def refine(
    image: Path,
    trimap: Path,
    weights: str | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    settings: MergedSettings,
) -> None:
    """Refine alpha from a picture and its trimap.

    TRIMAP is a grey picture: from 85 to 169 unknown, below background, above subject.

    Example: matte refine photo.png trimap.png -o alpha.png
    """
    import warnings

    from matte.arrays import same_size
    from matte.errors import MatteWarning
    from matte.files import check_outputs, write_file
    from matte.media.encoding import ALPHA_WRITABLE, encode_alpha
    from matte.media.pictures import read_image, read_trimap
    from matte.pipeline.build import build_refiner, max_pixels, memory_budget
    from matte.trimap.drawing import trimap_flaw

    target = output or path_beside(image, "-alpha.png")
    check_outputs([(target, ALPHA_WRITABLE)], [image, trimap], overwrite)
    config = settings.config
    pixels = max_pixels(config)
    picture, known = read_image(image, pixels), read_trimap(trimap, pixels)
    same_size(("picture", picture), ("trimap", known))
    memory_budget(config).check_image(picture)
    if wrong := trimap_flaw(known):
        warnings.warn(f"{trimap}: {wrong}: it is used as it is", MatteWarning, stacklevel=2)
    if weights is not None:
        config = replace(config, refiner=replace(config.refiner, refiner=weights))
    alpha = build_refiner(config).refine(picture, known).alpha
    write_file(target, encode_alpha(alpha, target.suffix), overwrite, [image, trimap])
    if not quiet:
        print_path(target)
