"""`matte trimap`: from a mask to its trimap."""

from pathlib import Path

import click

from matte.cli.grouped import GroupedCommand
from matte.cli.options import FILE, output_options, path_beside, print_path
from matte.cli.settings import BAND, setting_options
from matte.configs.loader import MergedSettings


@click.command(cls=GroupedCommand, ends_at_once=True, no_args_is_help=True)
@click.argument("mask", type=FILE)
@output_options("MASK-trimap.png beside the mask")
@setting_options(*BAND, "max_pixels")
def trimap(
    mask: Path, output: Path | None, overwrite: bool, quiet: bool, settings: MergedSettings
) -> None:
    """Draw the trimap of a mask: the unknown band around its edge.

    In the trimap 0 is background, 128 unknown, 255 subject. Grey in the mask means unsure: with
    --k auto the band is wide there. A trimap that can't lead to a good result gets a warning.

    Example: matte trimap mask.png --k 7 --iterations 4 -o trimap.png
    """
    import warnings

    from matte.arrays import Confidence
    from matte.configs.settings import SegmentationSettings
    from matte.errors import MatteWarning
    from matte.files import check_outputs, write_file
    from matte.media.encoding import WRITABLE, encode
    from matte.media.pictures import read_alpha
    from matte.pipeline.steps import cut_subject, draw
    from matte.stages import Segmentation
    from matte.trimap.drawing import trimap_flaw

    target = output or path_beside(mask, "-trimap.png")
    check_outputs([(target, WRITABLE)], [mask], overwrite)
    config = settings.config
    confidence = Confidence(read_alpha(mask, config.media.max_pixels))
    subject = cut_subject(Segmentation(confidence), SegmentationSettings())
    drawn = draw(subject, config.trimap).trimap
    if flaw := trimap_flaw(drawn):
        warnings.warn(f"{target}: {flaw}", MatteWarning, stacklevel=2)
    write_file(target, encode(drawn, target.suffix), overwrite, [mask])
    if not quiet:
        print_path(target)
