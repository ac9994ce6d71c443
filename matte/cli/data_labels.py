"""`matte data label` and `matte data merge`: masks for pictures that nobody has cut out."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, print_line, print_path
from matte.cli.settings import RUNNING, setting_options
from matte.configs.loader import MergedSettings, with_preset
from matte.errors import PictureError, SettingError


@click.command(cls=GroupedCommand)
@click.argument("folder", metavar="DIR", type=FILE)
@option(
    "--teacher",
    required=True,
    metavar="NAME|FILE",
    group="Result",
    common=True,
    help="Network that labels: what --segmenter takes, or any ONNX file with a --rule.",
)
@option(
    "--rule",
    metavar="NAME",
    group="Result",
    common=True,
    help="What the ONNX file takes and gives: u2net, isnet, birefnet, or a TOML.",
)
@option("--out", required=True, type=FILE, group="Result", common=True, help="Folder to write.")
@setting_options(*RUNNING, "size")
def label(
    settings: MergedSettings, folder: Path, teacher: str, rule: str | None, out: Path
) -> None:
    """Label pictures with a network: write what it is how sure of, as grey PNGs.

    DIR is a folder of pictures, or one with images/ in it. Labels that are there already are kept,
    so an interrupted run can be repeated. 'matte data merge' makes masks of them.

    Example: matte data label photos --teacher u2netp --out labels/u2netp
    """
    from matte.pipeline.build import build_segmenter
    from matte.training.labelling import label_pictures

    with _teacher_named(teacher, rule) as name:
        network = build_segmenter(with_preset(settings, settings.preset, segmenter=name).config)
    found = label_pictures(network, folder, out, lambda line: print_line(line, err=True))
    if not (found.written or found.present):
        raise PictureError(f"no picture of {folder} can be read", "look at the lines above")
    print_path(out)


@click.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option(
    "--labels",
    required=True,
    multiple=True,
    type=FILE,
    help="Folder of 'matte data label'; once for each teacher.",
)
@click.option("--masks", type=FILE, help="Folder of true masks, NAME.png, of some pictures or all.")
@click.option("--out", required=True, type=FILE, help="Data set to write: images/ and masks/.")
@click.option(
    "--agreement",
    type=click.FloatRange(0, 1),
    default=0.8,
    show_default=True,
    help="Drop pictures on which the teachers' IoU is less.",
)
@click.option("--sheet", type=FILE, help="Picture to write: every twentieth mask, to look at.")
@click.option("--overwrite", is_flag=True, help="Replace masks, pictures and the sheet that exist.")
def merge(
    folder: Path,
    labels: tuple[Path, ...],
    masks: Path | None,
    out: Path,
    agreement: float,
    sheet: Path | None,
    overwrite: bool,
) -> None:
    """Make a data set of labelled pictures: masks of what the teachers agree on.

    With --masks, what the teachers see joins the true subject where it touches it, and does not
    count elsewhere. Pictures are dropped where teachers disagree, or one alone is unsure.

    Example: matte data merge photos --labels labels/u2netp --labels labels/isnet --out photos-set
    """
    from matte.datasets.sheet import draw_sheet, shrink_sample
    from matte.files import write_file
    from matte.media.encoding import encode
    from matte.training.merging import merge_labels

    found = merge_labels(
        folder,
        labels,
        out,
        masks=masks,
        agreement=agreement,
        sheet=sheet,
        overwrite=overwrite,
        progress=lambda line: print_line(line, err=True),
    )
    if not found.written:
        raise PictureError(f"no picture of {folder} got a mask", "look at the lines above")
    if sheet:
        shown = [shrink_sample(sample) for sample in found.shown]
        write_file(sheet, encode(draw_sheet(shown), sheet.suffix), overwrite)
        print_path(sheet)
    print_path(out)


@contextmanager
def _teacher_named(teacher: str, rule: str | None) -> Iterator[str]:
    """Yield what names the teacher as a segmenter: itself, or a TOML with its file and rule."""
    if rule is None:
        yield teacher
        return
    if not Path(teacher).is_file():
        raise SettingError(f"no file {teacher}", "--rule is for an ONNX file; names have theirs")
    with tempfile.TemporaryDirectory() as folder:
        toml = Path(folder) / "teacher.toml"
        file = json.dumps(str(Path(teacher).resolve()))
        toml.write_text(f"file = {file}\nrule = {json.dumps(rule)}\n", encoding="utf-8")
        yield str(toml)
