"""`matte trimap`: from a mask to its trimap."""

from pathlib import Path

import click

from matte.cli.options import BAND, FILE, beside, output_options, setting_options, told
from matte.configs.loader import Settled


@click.command(no_args_is_help=True)
@click.argument("mask", type=FILE)
@output_options("MASK-trimap.png beside the mask")
@setting_options(*BAND, "max_pixels")
def trimap(mask: Path, output: Path | None, overwrite: bool, quiet: bool, settled: Settled) -> None:
    """Draw the unknown band around a mask.

    In the trimap 0 is background, 128 unknown, 255 subject. A soft mask tells where it is unsure;
    with k auto the band is wide there. A trimap that nothing good can come of is warned about.

    Example: matte trimap mask.png --k 7 --iterations 4 -o trimap.png
    """
    import warnings

    from matte.arrays import Confidence
    from matte.configs.settings import SegmentationSettings
    from matte.errors import MatteWarning
    from matte.files import check_outputs, write_file
    from matte.media.encoding import WRITABLE, encode
    from matte.media.pictures import read_alpha
    from matte.segmentation.masks import make_mask
    from matte.trimap.drawing import draw_band, flaw

    target = output or beside(mask, "-trimap.png")
    check_outputs([(target, WRITABLE)], [mask], overwrite)
    config = settled.config
    confidence = Confidence(read_alpha(mask, config.media.max_pixels))
    cut = make_mask(confidence, SegmentationSettings())
    band = draw_band(cut, confidence, config.trimap).trimap
    if wrong := flaw(band):
        warnings.warn(f"{target}: {wrong}", MatteWarning, stacklevel=2)
    write_file(target, encode(band, target.suffix), overwrite)
    if not quiet:
        told(target)
