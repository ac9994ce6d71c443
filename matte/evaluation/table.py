"""Scores as a table to read."""

import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from matte.evaluation.scores import Scores
from matte.metrics.intervals import Interval
from matte.metrics.masks import MASK_METRICS

TITLES = {
    "miou": "mIoU",
    "accuracy": "accuracy",
    "sad": "SAD (k)",
    "mse": "MSE",
    "mad": "MAD",
    "grad": "Grad (k)",
    "conn": "Conn (k)",
    "mad_whole": "MAD, whole picture",
}
UNLIMITED = 1000  # columns, where no terminal sets a limit


def draw_table(scores: Scores, columns: int | None = None) -> str:
    """The contestants' means with their 95 % intervals, and what they are to the reference.

    For a terminal of `columns` characters each number has lines of its own; without, each
    contestant is one line.
    """
    compared = len(scores.values) > 1
    table = Table(box=SIMPLE_HEAD if columns else None, pad_edge=False, show_lines=bool(columns))
    table.add_column("", no_wrap=True)
    for metric in scores.metrics:
        table.add_column(TITLES[metric], justify="right")
    separator = "\n" if columns else " "
    for contestant in scores.values:
        cells = []
        for metric in scores.metrics:
            lines = [*_mean(scores.mean(contestant, metric))]
            if compared and contestant != scores.reference:
                lines.append(_against(scores.against(contestant, metric), metric))
            cells.append(separator.join(lines))
        table.add_row(contestant, *cells)
    console = Console(file=io.StringIO(), width=columns or UNLIMITED, color_system=None)
    console.print(table)
    lines = console.file.getvalue().rstrip().splitlines()  # type: ignore[attr-defined]  # a StringIO
    told = [line.rstrip() for line in lines]
    return "\n".join([*told, "", *_legend(scores)])


def _legend(scores: Scores) -> Sequence[str]:
    pictures = f"{len(scores.pictures)} picture" + "s" * (len(scores.pictures) != 1)
    where = "unknown pixels" if scores.region == "unknown" else "whole picture"
    told = f"{pictures}, {where}; mean [95 % interval]"
    if len(scores.values) > 1:
        sign = "+ and −" if scores.metrics[0] in MASK_METRICS else "×"
        told += f"; {sign}: compared with {scores.reference}"
    return [told]


def _mean(mean: Interval) -> tuple[str, str]:
    return _number(mean.value), f"[{_number(mean.low)} … {_number(mean.high)}]"


def _against(found: Interval | None, metric: str) -> str:
    if found is None:
        return "–"
    if metric in MASK_METRICS:
        return f"{found.value:+.4f} [{found.low:+.4f} … {found.high:+.4f}]"
    return f"×{found.value:.2f} [{found.low:.2f} … {found.high:.2f}]"


def _number(value: float) -> str:
    """Four digits that tell something."""
    return f"{value:.4f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
