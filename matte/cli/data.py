"""`matte data`: the pictures that networks are trained on."""

from pathlib import Path
from typing import Any

import click

from matte.cli.data_labels import label, merge
from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE, print_line, print_path, torch_required
from matte.cli.progress import progress_bar
from matte.cli.settings import setting_options
from matte.configs.loader import MergedSettings
from matte.configs.settings import SETTINGS
from matte.errors import PictureError, printable


@click.group()
def data() -> None:
    """Look at training data, and make it."""


data.add_command(label)
data.add_command(merge)


@data.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option(
    "--layout",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="aisegment, alphamatting, alphas, backgrounds, ccp, composition1k, cutouts, p3m10k,"
    " pairs, ppm100, or auto: what the folder looks like.",
)
@click.option(
    "--classes",
    multiple=True,
    metavar="NAME[,NAME…]",
    help="Labels that are the subject (layout ccp), or 'clothing' for all garments.",
)
@click.option("--sheet", type=FILE, help="Picture to write: up to 24 samples with their truths.")
@click.option("--overwrite", is_flag=True, help="Replace the sheet if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(
    folder: Path,
    layout: str,
    classes: tuple[str, ...],
    sheet: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Read a data set, and print what is in it and what can't be used.

    Counts, sizes, shares of subject and soft pixels, near duplicates, and each broken pair with
    the reason. It fails if nothing in DIR can be used.

    Example: matte data check photos --sheet photos.png
    """
    from matte.datasets.check import check_set, set_files
    from matte.datasets.sheet import draw_sheet
    from matte.files import check_outputs, report_bytes, write_file
    from matte.media.encoding import WRITABLE, encode

    words = [word.strip() for group in classes for word in group.split(",") if word.strip()]
    if sheet:
        check_outputs([(sheet, WRITABLE)], set_files(folder, layout, words), overwrite)
    with progress_bar("pictures") as watch:
        report = check_set(folder, layout, words, watch)
    found = report.as_dict()
    if as_json:
        click.echo(report_bytes(found), nl=False)
    else:
        _print_report(found, guessed=layout == "auto")
    if not report.found:
        raise PictureError(
            f"nothing in {folder} can be used", "choose another --layout or mend the broken pairs"
        )
    if sheet:
        write_file(sheet, encode(draw_sheet(report.shown), sheet.suffix), overwrite)
        print_path(sheet, err=as_json)


@data.command(cls=GroupedCommand)
@click.argument("folder", metavar="DIR", type=FILE)
@option(
    "--out",
    required=True,
    type=FILE,
    group="Result",
    common=True,
    help="Folder to write, with images/ and alphas/ in it.",
)
@option(
    "--layout",
    default="auto",
    show_default=True,
    metavar="NAME",
    group="Result",
    common=True,
    help="The data set's layout, as for 'matte data check'.",
)
@option(
    "--agreement",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    group="Result",
    common=True,
    help="Drop pictures whose matte overlaps with their mask (IoU) less than this.",
)
@option(
    "--longest",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    group="Result",
    common=True,
    help="Shrink pictures to this long side, in pixels; 0: don't.",
)
@setting_options(*SETTINGS)
def distil(
    settings: MergedSettings, folder: Path, out: Path, layout: str, agreement: float, longest: int
) -> None:
    """Make mattes from a data set of masks, to train a trimap-free network on.

    Each picture is matted. Where its alpha agrees with its mask, both are written as a new data
    set (layout alphas). Files that are there already are kept, so an interrupted run can be
    repeated. It fails if no picture of DIR becomes a matte.

    Example: matte data distil people --out people-mattes --longest 720
    """
    from matte.pipeline.build import build

    with torch_required("distillation"):
        from matte.training.distil import distil as distilled
        from matte.training.settings import DataSet

    result = distilled(
        build(settings),
        DataSet(folder.name, layout),
        folder.parent,
        out,
        agreement=agreement,
        longest=longest,
        progress=lambda line: print_line(line, err=True),
    )
    if not (result.written or result.present):
        remedy = "lower --agreement, choose another --preset, or look at the masks"
        raise PictureError(
            f"no picture of {folder} became a matte",
            remedy if result.dropped else f"see 'matte data check {folder}'",
        )
    print_path(out)


def _print_report(found: dict[str, Any], guessed: bool) -> None:
    """Print what a data set holds; `guessed`: the layout was found by the folders' names."""
    click.echo(f"layout      {found['layout']}{' (guessed)' if guessed else ''}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in found["kinds"].items())
    click.echo(f"usable      {found['usable']}{': ' + kinds if kinds else ''}")
    if found["usable"]:
        sizes = (f"{w}×{h}" for w, h in (found["smallest"], found["median"], found["largest"]))
        click.echo("sizes       {} smallest, {} median, {} largest".format(*sizes))
    if set(found["kinds"]) - {"background"}:
        for share in ("subject", "soft", "ignored"):
            click.echo(f"{share:<12}{found[share]:.1%} of the pixels, on average")
    _print_list("no subject", found["without_subject"])
    _print_list("near duplicates", [" = ".join(pair) for pair in found["duplicates"]])
    _print_list("broken", [f"{one['path']}: {one['reason']}" for one in found["broken"]])


def _print_list(title: str, lines: list[str]) -> None:
    """Print a title with the number of lines, then the lines."""
    click.echo(f"{title:<12}{'' if len(title) < 12 else ' '}{len(lines)}")
    for line in lines:
        click.echo(f"  {printable(line)}")
