"""`matte composite`: from a picture and its alpha to the new picture."""

from pathlib import Path

import click

from matte.cli.options import FILE, beside, output_options, told


@click.command(no_args_is_help=True)
@click.argument("image", type=FILE)
@click.argument("alpha", type=FILE)
@click.option("--bg", required=True, metavar="PICTURE|COLOUR", help="The new background.")
@click.option("--keep-colours", is_flag=True, help="IMAGE holds the subject's own colours already.")
@output_options("IMAGE-composite.png beside the picture")
def composite(
    image: Path,
    alpha: Path,
    bg: str,
    keep_colours: bool,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Put a subject on another background.

    IMAGE is weighted by ALPHA, a grey picture or a .npy.
    The subject's colours are estimated first, so that no old background shines through its edge.
    """
    from matte.arrays import same_size
    from matte.compositing.blend import composite as on_background
    from matte.compositing.foreground import estimate_foreground
    from matte.files import check_outputs, write_file
    from matte.media.pictures import WRITABLE, encode, read_alpha, read_image
    from matte.pipeline.outputs import background_file, read_background

    target = output or beside(image, "-composite.png")
    used = background_file(bg)
    sources = [image, alpha, *([used] if used else [])]
    check_outputs([(target, WRITABLE)], sources, overwrite)
    picture, a = read_image(image), read_alpha(alpha)
    same_size(("picture", picture), ("alpha", a))
    foreground = picture if keep_colours else estimate_foreground(picture, a)
    result = on_background(foreground, a, read_background(bg))
    write_file(target, encode(result, target.suffix), overwrite)
    if not quiet:
        told(target)
