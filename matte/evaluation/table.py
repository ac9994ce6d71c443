"""Scores as a table of text."""

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from matte.evaluation.scores import Scores
from matte.metrics.intervals import Interval
from matte.metrics.masks import MASK_METRICS

METRIC_TITLES = {
    "miou": "mIoU",
    "accuracy": "accuracy",
    "sad": "SAD (k)",
    "mse": "MSE",
    "mad": "MAD",
    "grad": "Grad (k)",
    "conn": "Conn (k)",
    "mad_whole": "MAD, whole picture",
}
UNLIMITED_COLUMNS = 1000  # characters, where no terminal sets a limit


def format_scores(scores: Scores, columns: int | None = None) -> str:
    """Return a table of the contestants' means with 95 % intervals, compared with the reference.

    For a terminal of `columns` characters each number has lines of its own; without `columns`, each
    contestant is one line.
    """
    compared = len(scores.values) > 1
    table = Table(box=SIMPLE_HEAD if columns else None, pad_edge=False, show_lines=bool(columns))
    table.add_column("", no_wrap=True)
    for metric in scores.metrics:
        table.add_column(METRIC_TITLES[metric], justify="right")
    separator = "\n" if columns else " "
    for contestant in scores.values:
        cells = []
        for metric in scores.metrics:
            lines = [*_format_mean(scores.mean(contestant, metric))]
            if compared and contestant != scores.reference:
                lines.append(
                    _format_comparison(scores.compare_with_reference(contestant, metric), metric)
                )
            cells.append(separator.join(lines))
        table.add_row(contestant, *cells)
    console = Console(file=io.StringIO(), width=columns or UNLIMITED_COLUMNS, color_system=None)
    console.print(table)
    lines = console.file.getvalue().rstrip().splitlines()  # type: ignore[attr-defined]  # a StringIO
    return "\n".join([*(line.rstrip() for line in lines), "", _legend(scores)])


def _legend(scores: Scores) -> str:
    """Return a line on what was measured, and on how numbers are compared."""
    pictures = f"{len(scores.pictures)} picture" + "s" * (len(scores.pictures) != 1)
    where = "unknown pixels" if scores.region == "unknown" else "whole picture"
    legend = f"{pictures}, {where}; mean [95 % interval]"
    if len(scores.values) > 1:
        sign = "+ and −" if scores.metrics[0] in MASK_METRICS else "×"
        legend += f"; {sign}: compared with {scores.reference}"
    return legend


def _format_mean(mean: Interval) -> tuple[str, str]:
    """Return a mean and its interval."""
    return _format_number(mean.value), f"[{_format_number(mean.low)} … {_format_number(mean.high)}]"


def _format_comparison(compared: Interval | None, metric: str) -> str:
    """Return a difference with its sign, or a ratio with ×; a dash if there is none."""
    if compared is None:
        return "–"
    if metric in MASK_METRICS:
        return f"{compared.value:+.4f} [{compared.low:+.4f} … {compared.high:+.4f}]"
    return f"×{compared.value:.2f} [{compared.low:.2f} … {compared.high:.2f}]"


def _format_number(value: float) -> str:
    """Return the number with four digits at most."""
    return f"{value:.4f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
