"""Scores as a table of text."""

from matte.evaluation.scores import Scores
from matte.metrics.intervals import Interval
from matte.metrics.masks import MASK_METRICS
from matte.text_tables import draw_table

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


def format_scores(scores: Scores, columns: int | None = None) -> str:
    """Return a table of the contestants' means with 95 % intervals, compared with the reference.

    For a terminal of `columns` characters each number has lines of its own; without `columns`, each
    contestant is one line.
    """
    compared = len(scores.values) > 1
    separator = "\n" if columns else " "
    rows = []
    for contestant in scores.values:
        cells = []
        for metric in scores.metrics:
            lines = [*_format_mean(scores.mean(contestant, metric))]
            if compared and contestant != scores.reference:
                lines.append(
                    _format_comparison(scores.compare_with_reference(contestant, metric), metric)
                )
            cells.append(separator.join(lines))
        rows.append([contestant, *cells])
    titles = ["", *(METRIC_TITLES[metric] for metric in scores.metrics)]
    return "\n".join([draw_table(titles, rows, columns, ruled=True), "", _legend(scores)])


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
