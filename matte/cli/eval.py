"""`matte eval`: how good networks and settings are, on pictures whose truth is known."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from matte.cli.options import FILE, RUNNING, setting_options
from matte.cli.progress import progress_bar
from matte.configs.loader import Settled
from matte.errors import SettingError

if TYPE_CHECKING:
    from matte.evaluation.scores import Scores, Watch
    from matte.evaluation.trimaps import Trimaps

F = TypeVar("F", bound=Callable[..., Any])
NAME = "NAME|FILE"
# The settings by which matte draws a trimap.
DRAWING = ("segmenter", "size", "threshold", "k", "iterations", "shape")


@click.group(name="eval")
def evaluate() -> None:
    """Measure a stage, or the whole line, against the truth.

    Prints means with 95 % intervals. docs/evaluation.md describes folders, metrics and peers.
    """


def report_options(command: F) -> F:
    """Adds --data, --peer, --reference and the reports; the command returns the scores.

    It is given the folder as `data`, the peers' files as `peers`, and a `watch`.
    """

    @wraps(command)
    def with_reports(
        data: Path,
        reference: str | None,
        json_file: Path | None,
        sheet: Path | None,
        overwrite: bool,
        **arguments: Any,
    ) -> None:
        from matte.files import check_outputs, write_file
        from matte.media.encoding import WRITABLE, encode

        outputs = [(json_file, (".json",)), (sheet, WRITABLE)]
        wanted = [(path, endings) for path, endings in outputs if path is not None]
        check_outputs(wanted, [*arguments["peers"], *data.glob("*/*")], overwrite)
        with progress_bar("pictures") as watch:
            scores: Scores = command(data=data, watch=watch, **arguments)
        if reference is not None:
            scores = scores.measured_by(reference)
        if json_file is not None:
            text = json.dumps(scores.as_json(), indent=1, allow_nan=False, ensure_ascii=False)
            write_file(json_file, f"{text}\n".encode(), overwrite)
        if sheet is not None:
            from matte.evaluation.sheet import draw_sheet

            where = data.resolve().name
            count = f"{len(scores.worst)} worst of {len(scores.pictures)}"
            title = f"{scores.evaluated} on {where}: the {count}"
            write_file(sheet, encode(draw_sheet(scores.worst, title), sheet.suffix), overwrite)
        _tell(scores)

    decorated: Any = with_reports
    for option in (
        click.option("--overwrite", is_flag=True, help="Replace files that exist."),
        click.option(
            "--sheet", type=FILE, help="Save the worst cases, with the truth, as a picture."
        ),
        click.option(
            "--json", "json_file", type=FILE, help="Save all numbers, each picture's too."
        ),
        click.option(
            "--reference",
            metavar="NAME",
            help="The contestant that others are compared with.  [default: the second one]",
        ),
        click.option(
            "--peer",
            "peers",
            type=FILE,
            multiple=True,
            help="A TOML about another network, to compare with; can be repeated.",
        ),
        click.option(
            "--data", required=True, type=FILE, help="The folder with pictures and truth."
        ),
    ):
        decorated = option(decorated)
    result: F = decorated
    return result


@evaluate.command()
@report_options
@click.option("--weights", metavar=NAME, help="The network; the same as --segmenter.")
@setting_options("segmenter", "size", "threshold", "backend", "device", "precision", "threads")
def segmenter(
    data: Path, weights: str | None, peers: tuple[Path, ...], watch: "Watch", settled: Settled
) -> "Scores":
    """Measure a segmenter: mIoU of the subject, accuracy.

    --data holds images/ and masks/ (255 subject, 128 not counted), or input/ and gt/.

    Example: matte eval segmenter --data portraits --weights person
    """
    from matte.evaluation.masks import evaluate_segmenter

    config = settled.config
    if weights is not None:
        config = replace(config, segmentation=replace(config.segmentation, segmenter=weights))
    return evaluate_segmenter(data, config, peers, watch)


@evaluate.command()
@report_options
@click.option(
    "--refiner",
    "refiners",
    metavar="NAME,…",
    multiple=True,
    help="gca, closed-form, guided, blind or a stored network; several by commas or repetition."
    "  [default: gca with --weights, else the preset's]",
)
@click.option("--weights", metavar=NAME, help="The network that gca stands for.")
@click.option(
    "--trimap", metavar="FOLDER", help="The folder in --data with the trimaps.  [default: trimap1]"
)
@click.option(
    "--trimap-from-alpha",
    type=int,
    metavar="PIXELS",
    help="Draw them from the truth: subject and background shrink by PIXELS/3 … 2·PIXELS each.",
)
@click.option("--trimap-from-segmenter", is_flag=True, help="Draw them as matte itself does.")
@setting_options(
    *DRAWING,
    *RUNNING,
)
def refiner(
    data: Path,
    refiners: tuple[str, ...],
    weights: str | None,
    trimap: str | None,
    trimap_from_alpha: int | None,
    trimap_from_segmenter: bool,
    peers: tuple[Path, ...],
    watch: "Watch",
    settled: Settled,
) -> "Scores":
    """Measure refiners where the trimap is unknown: SAD, MSE, MAD, Grad, Conn.

    --data holds input/, gt/ (grey alpha) and trimap1/. The blind baseline, which does not look at
    the picture, is always measured too.

    Example: matte eval refiner --data hair --refiner gca-slim,closed-form
    """
    from matte.evaluation.mattes import GCA, evaluate_refiner

    names = [name.strip() for text in refiners for name in text.split(",")]
    if weights is not None and not names:
        names = [GCA]
    if weights is not None and GCA not in names:
        raise SettingError("--weights belongs to the refiner gca", "add --refiner gca")
    source = _trimaps(data, trimap, trimap_from_alpha, trimap_from_segmenter)
    config = settled.config
    return evaluate_refiner(
        data, names or [config.refiner.refiner], config, source, weights, peers, watch
    )


@evaluate.command()
@report_options
@click.option(
    "--weights", metavar=NAME, help="The network; the same as --modnet. Without: the shipped one."
)
@setting_options("modnet", *RUNNING)
def modnet(
    data: Path, weights: str | None, peers: tuple[Path, ...], watch: "Watch", settled: Settled
) -> "Scores":
    """Measure a MODNet on whole pictures: SAD, MSE, MAD, Grad, Conn.

    --data holds input/ and gt/ (grey alpha).

    Example: matte eval modnet --data portraits
    """
    from matte.evaluation.mattes import evaluate_modnet

    if weights is not None:
        config = settled.config
        config = replace(config, modnet=replace(config.modnet, modnet=weights))
        settled = replace(settled, config=config)
    return evaluate_modnet(data, settled, peers, watch)


@evaluate.command()
@report_options
@setting_options(
    *DRAWING,
    "refiner",
    "modnet",
    *RUNNING,
)
def pipeline(data: Path, peers: tuple[Path, ...], watch: "Watch", settled: Settled) -> "Scores":
    """Measure the whole line, from the photo alone, on whole pictures: SAD, MSE, MAD, Grad, Conn.

    --data holds input/ and gt/ (grey alpha). The mask alone, taken for alpha, is measured too.

    Example: matte eval pipeline --data portraits --preset best
    """
    from matte.evaluation.mattes import evaluate_pipeline

    return evaluate_pipeline(data, settled, peers, watch)


def _trimaps(
    data: Path, folder: str | None, width: int | None, by_segmenter: bool
) -> "Trimaps | None":
    """Where the trimaps come from; None stands for the settings' own segmenter."""
    from matte.evaluation.trimaps import from_alpha, from_folder

    if (folder is not None) + (width is not None) + by_segmenter > 1:
        raise SettingError(
            "--trimap, --trimap-from-alpha and --trimap-from-segmenter exclude each other",
            "give one",
        )
    if by_segmenter:
        return None
    return from_alpha(width) if width is not None else from_folder(data / (folder or "trimap1"))


def _tell(scores: "Scores") -> None:
    from matte.evaluation.table import draw_table

    for name, reason in scores.skipped.items():
        click.echo(f"Skipped {name}: {reason}", err=True)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(draw_table(scores, columns))
    if scores.skipped:
        pairs = len(scores.skipped) + len(scores.pictures)
        click.echo(f"Skipped {len(scores.skipped)} of {pairs} pairs", err=True)
