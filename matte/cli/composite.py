"""`matte composite`: from a picture and its alpha to the new picture."""

from pathlib import Path

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import (
    FILE,
    GROUND,
    cut_out_options,
    output_options,
    path_beside,
    print_path,
)
from matte.cli.settings import COMPOSITING, setting_options
from matte.configs.loader import MergedSettings


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("image", type=FILE)
@click.argument("alpha", type=FILE)
@option(
    "--bg",
    required=True,
    metavar=GROUND,
    group="Result",
    common=True,
    help="The new background; blur: the picture's own, out of focus.",
)
@option(
    "--keep-colours",
    is_flag=True,
    group="Result",
    common=True,
    help="Use IMAGE's colours as they are: it shows the subject without its old background.",
)
@cut_out_options
@output_options("IMAGE-composite.png beside the picture")
@setting_options(*COMPOSITING, "max_pixels")
def composite(
    image: Path,
    alpha: Path,
    bg: str,
    keep_colours: bool,
    crop: str | None,
    premultiply: bool,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    settings: MergedSettings,
) -> None:
    """Put a picture's subject on another background, by its alpha.

    ALPHA is a grey picture or a .npy. The subject's own colours are estimated first, so that the
    old background doesn't shine through its edge.

    Example: matte composite photo.png alpha.png --bg beach.jpg --fit cover
    """
    from matte.arrays import same_size
    from matte.compositing.backgrounds import parse_background
    from matte.compositing.foreground import estimate_foreground
    from matte.configs.lengths import parse_length
    from matte.files import STREAM, check_outputs
    from matte.media.pictures import read_alpha, read_photo
    from matte.media.streams import check_stdout
    from matte.photos.finishing import FinishOptions, PhotoFinisher
    from matte.photos.locations import on_disk
    from matte.photos.outputs import PhotoOutputs
    from matte.stages import Matte

    margin = None if crop is None else parse_length(crop)
    finish = FinishOptions(parse_background(bg), settings.config.compositing, premultiply, margin)
    outputs = PhotoOutputs(output or path_beside(image, "-composite.png"))
    sources = [image, alpha, *finish.files()]
    if outputs.picture == STREAM:
        check_stdout()
    written = [(on_disk(path), endings) for path, endings in outputs.paths(finish.transparent)]
    check_outputs(written, sources, overwrite)
    pixels = settings.config.media.max_pixels
    photo, a = read_photo(image, pixels), read_alpha(alpha, pixels)
    same_size(("picture", photo.pixels), ("alpha", a))
    a = photo.limit_alpha(a)
    foreground = photo.pixels if keep_colours else estimate_foreground(photo.pixels, a)
    matte = Matte(a, foreground, None, None, {})
    finisher = PhotoFinisher(finish, pixels)
    for path in outputs.write(photo, matte, finisher, overwrite, sources).paths:
        if not quiet:
            print_path(path)
