"""`matte eval`: how good networks and settings are, on pictures whose truth is known."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matte.cli.eval_reports import report_options
from matte.cli.grouped import GroupedCommand, option
from matte.cli.options import FILE
from matte.cli.settings import RUNNING, setting_options
from matte.configs.loader import MergedSettings
from matte.errors import SettingError

if TYPE_CHECKING:
    from matte.evaluation.scores import Scores
    from matte.evaluation.trimaps import TrimapSource
    from matte.stages import Progress

NAME = "NAME|FILE"
# The settings of the stages that draw a trimap.
DRAWING = ("segmenter", "size", "threshold", "k", "iterations", "shape")


@click.group(name="eval")
def evaluate() -> None:
    """Measure how good networks and settings are, on pictures whose alpha is known.

    Prints means with 95 % intervals. docs/evaluation.md describes folders, metrics and peers.
    """


@evaluate.command(cls=GroupedCommand)
@report_options
@option(
    "--segmenter",
    "segmenters",
    metavar=f"{NAME},…",
    multiple=True,
    group="Subject and band",
    common=True,
    help="The networks; several by commas or repetition.  [default: the preset's]",
)
@option(
    "--weights",
    metavar=NAME,
    group="Subject and band",
    common=True,
    help="One more network; the same as --segmenter.",
)
@option(
    "--runs",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    group="Running",
    common=True,
    help="How often each network runs in each runtime to be timed; 0: nothing is timed.",
)
@option(
    "--plot",
    type=FILE,
    group="Result",
    common=True,
    help="Save a chart of quality against time.",
)
@setting_options("size", "threshold", "backend", "device", "precision", "threads")
def segmenter(
    data: Path,
    segmenters: tuple[str, ...],
    weights: str | None,
    runs: int,
    peers: tuple[Path, ...],
    watch: "Progress",
    settings: MergedSettings,
) -> "Scores":
    """Measure segmenters: IoU, accuracy, parameters, multiplications, milliseconds.

    --data holds images/ and masks/ (255 subject, 128 not counted), or input/ and gt/. Each network
    is timed alone in ONNX Runtime and OpenVINO, on the sample portrait.

    Example: matte eval segmenter --data portraits --segmenter person,person-light --plot table.png
    """
    from matte.evaluation.masks import evaluate_segmenters

    config = settings.config
    names = [*_parse_names(segmenters), *([weights] if weights is not None else [])]
    names = names or [config.segmentation.segmenter]
    return evaluate_segmenters(data, names, config, peers, runs, watch)


@evaluate.command(cls=GroupedCommand)
@report_options
@option(
    "--refiner",
    "refiners",
    metavar="NAME,…",
    multiple=True,
    group="Refining",
    common=True,
    help="gca, closed-form, guided, blind or a stored network; several by commas or repetition."
    "  [default: gca with --weights, else the preset's]",
)
@option(
    "--weights",
    metavar=NAME,
    group="Refining",
    common=True,
    help="The network that gca stands for.",
)
@option(
    "--trimap",
    metavar="FOLDER",
    group="Stages in and out",
    common=True,
    help="The folder in --data with the trimaps.  [default: trimap1]",
)
@option(
    "--trimap-from-alpha",
    type=int,
    metavar="PIXELS",
    group="Stages in and out",
    common=True,
    help="Draw trimaps from the truth: subject and background shrink by PIXELS/3 … 2·PIXELS each.",
)
@option(
    "--trimap-from-segmenter",
    is_flag=True,
    group="Stages in and out",
    common=True,
    help="Draw trimaps as matte itself does, around its own mask.",
)
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
    watch: "Progress",
    settings: MergedSettings,
) -> "Scores":
    """Measure refiners where the trimap is unknown: SAD, MSE, MAD, Grad, Conn.

    --data holds input/, gt/ (grey alpha) and trimap1/. The blind baseline, which does not look at
    the picture, is always measured too.

    Example: matte eval refiner --data hair --refiner gca-slim,closed-form
    """
    from matte.evaluation.mattes import GCA, evaluate_refiner

    names = _parse_names(refiners)
    if weights is not None and not names:
        names = [GCA]
    if weights is not None and GCA not in names:
        raise SettingError("--weights belongs to the refiner gca", "add --refiner gca")
    source = _trimap_source(data, trimap, trimap_from_alpha, trimap_from_segmenter)
    config = settings.config
    return evaluate_refiner(
        data, names or [config.refiner.refiner], config, source, weights, peers, watch
    )


@evaluate.command(cls=GroupedCommand)
@report_options
@option(
    "--weights",
    metavar=NAME,
    group="Refining",
    common=True,
    help="The network; the same as --modnet.  [default: the shipped one]",
)
@setting_options("modnet", *RUNNING)
def modnet(
    data: Path,
    weights: str | None,
    peers: tuple[Path, ...],
    watch: "Progress",
    settings: MergedSettings,
) -> "Scores":
    """Measure a MODNet on whole pictures: SAD, MSE, MAD, Grad, Conn.

    --data holds input/ and gt/ (grey alpha).

    Example: matte eval modnet --data portraits
    """
    from matte.evaluation.mattes import evaluate_modnet

    if weights is not None:
        config = settings.config
        config = replace(config, modnet=replace(config.modnet, modnet=weights))
        settings = replace(settings, config=config)
    return evaluate_modnet(data, settings, peers, watch)


@evaluate.command(cls=GroupedCommand)
@report_options
@setting_options(
    *DRAWING,
    "refiner",
    "modnet",
    *RUNNING,
)
def pipeline(
    data: Path, peers: tuple[Path, ...], watch: "Progress", settings: MergedSettings
) -> "Scores":
    """Measure all stages together, on whole pictures: SAD, MSE, MAD, Grad, Conn.

    --data holds input/ and gt/ (grey alpha). The mask alone, as if it were alpha, is measured too.

    Example: matte eval pipeline --data portraits --preset best
    """
    from matte.evaluation.mattes import evaluate_pipeline

    return evaluate_pipeline(data, settings, peers, watch)


def _parse_names(texts: tuple[str, ...]) -> list[str]:
    """Return the names of an option that takes several, by commas or repetition."""
    return [name.strip() for text in texts for name in text.split(",")]


def _trimap_source(
    data: Path, folder: str | None, width: int | None, by_segmenter: bool
) -> "TrimapSource | None":
    """Return where the trimaps come from; None: they are drawn by the settings' segmenter."""
    from matte.evaluation.trimaps import trimaps_from_alpha, trimaps_from_folder

    if (folder is not None) + (width is not None) + by_segmenter > 1:
        raise SettingError(
            "--trimap, --trimap-from-alpha and --trimap-from-segmenter exclude each other",
            "give one",
        )
    if by_segmenter:
        return None
    if width is not None:
        return trimaps_from_alpha(width)
    return trimaps_from_folder(data / (folder or "trimap1"))
