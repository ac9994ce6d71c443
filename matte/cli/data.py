"""`matte data`: the pictures that networks are trained on."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from matte.cli.options import FILE, needs_torch, setting_options
from matte.configs.loader import Settled
from matte.configs.settings import SETTINGS
from matte.errors import PictureError


@click.group()
def data() -> None:
    """Look at training data."""


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
    """Read a data set and print what is in it.

    Counts, sizes, shares of subject and soft pixels, near duplicates, and each broken pair with the
    reason. It fails if nothing in DIR can be used.

    Example: matte data check photos --sheet photos.png
    """
    from matte.datasets.check import check_set
    from matte.datasets.sheet import draw_sheet
    from matte.files import check_outputs, write_file
    from matte.media.encoding import WRITABLE, encode

    if sheet:
        check_outputs([(sheet, WRITABLE)], [], overwrite)
    words = [word.strip() for group in classes for word in group.split(",") if word.strip()]
    report = check_set(folder, layout, words, _progress)
    told = report.as_dict()
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _print(told, guessed=layout == "auto")
    if not report.found:
        raise PictureError(
            f"nothing in {folder} can be used", "choose another --layout or mend the broken pairs"
        )
    if sheet:
        write_file(sheet, encode(draw_sheet(report.shown), sheet.suffix), overwrite)
        click.echo(sheet, err=as_json)


@data.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--out", required=True, type=FILE, help="Folder for images/ and alphas/.")
@click.option("--layout", default="auto", show_default=True, metavar="NAME", help="As for check.")
@click.option(
    "--agreement",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="Least IoU of a matte with the mask; others are dropped.",
)
@click.option(
    "--longest",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Shrink longer pictures to this long side; 0: don't.",
)
@setting_options(*SETTINGS)
def distil(
    settled: Settled, folder: Path, out: Path, layout: str, agreement: float, longest: int
) -> None:
    """Turn masks into mattes: this pipeline teaches what its masks can't show.

    Where the alpha that the settings give agrees with the picture's mask, it is written as the
    truth of a new data set (layout alphas), to train a trimap-free network on. What is there
    already is kept, so that an interrupted run can be repeated. It fails if no picture of DIR
    becomes a matte.

    Example: matte data distil people --out people-mattes --longest 720
    """
    from matte.pipeline.build import build

    with needs_torch("distillation"):
        from matte.training.distil import distil as distilled
        from matte.training.settings import DataSet

    found = distilled(
        build(settled),
        DataSet(folder.name, layout),
        folder.parent,
        out,
        agreement=agreement,
        longest=longest,
        progress=lambda line: click.echo(line, err=True),
    )
    if not (found.written or found.present):
        remedy = "lower --agreement, choose another --preset, or look at the masks"
        raise PictureError(
            f"no picture of {folder} became a matte",
            remedy if found.dropped else f"see 'matte data check {folder}'",
        )
    click.echo(out)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty() and (done % 20 == 0 or done == of):
        click.echo(f"\r{done} of {of}", err=True, nl=done == of)


def _print(told: dict[str, Any], guessed: bool) -> None:
    click.echo(f"layout      {told['layout']}{' (guessed)' if guessed else ''}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in told["kinds"].items())
    click.echo(f"usable      {told['usable']}{': ' + kinds if kinds else ''}")
    if told["usable"]:
        sizes = (f"{w}×{h}" for w, h in (told["smallest"], told["median"], told["largest"]))
        click.echo("sizes       {} smallest, {} median, {} largest".format(*sizes))
    if set(told["kinds"]) - {"background"}:
        for share in ("subject", "soft", "ignored"):
            click.echo(f"{share:<12}{told[share]:.1%} of the pixels, on average")
    _list("no subject", told["without_subject"])
    _list("near duplicates", [" = ".join(pair) for pair in told["duplicates"]])
    _list("broken", [f"{one['path']}: {one['reason']}" for one in told["broken"]])


def _list(title: str, lines: list[str]) -> None:
    click.echo(f"{title:<12}{'' if len(title) < 12 else ' '}{len(lines)}")
    for line in lines:
        click.echo(f"  {line}")
