"""Scores as a table of text."""

from collections.abc import Sequence

from matte.errors import printable
from matte.evaluation.network_costs import SegmenterCost
from matte.evaluation.scores import Scores
from matte.metrics.intervals import Interval
from matte.metrics.masks import MASK_METRICS
from matte.text_tables import draw_table

METRIC_TITLES = {
    "miou": "IoU",
    "two_class_miou": "mIoU, 2 classes",
    "accuracy": "accuracy",
    "sad": "SAD (k)",
    "mse": "MSE",
    "mad": "MAD",
    "grad": "Grad (k)",
    "conn": "Conn (k)",
    "mad_whole": "MAD, whole picture",
}
MIN_WIDE_COLUMNS = 120  # characters of a terminal on which means and costs are one table


def format_scores(scores: Scores, columns: int | None = None) -> str:
    """Return a table of the contestants' means with 95 % intervals, compared with the reference.

    For a terminal of `columns` characters each number has lines of its own; without `columns`, each
    contestant is one line. What networks cost stands beside the means, or below them on narrow
    terminals.
    """
    separator = "\n" if columns else " "
    pooled = scores.pooled.get(scores.evaluated, {})
    parts = [["", *(METRIC_TITLES[metric] for metric in (*scores.metrics, *pooled))]]
    rows = [
        [
            [contestant, *_format_quality(scores, contestant, separator)]
            for contestant in scores.values
        ]
    ]
    if scores.costs:
        runtimes = _timed_runtimes(scores)
        titles = ["input", "parameters", "MACs", *(f"{runtime}, ms" for runtime in runtimes)]
        cells = [_format_cost(cost, runtimes, separator) for cost in scores.costs.values()]
        if columns and columns < MIN_WIDE_COLUMNS:
            parts.append(["", *titles])
            rows.append([[name, *more] for name, more in zip(scores.costs, cells, strict=True)])
        else:
            parts[0] += titles
            rows[0] = [[*row, *more] for row, more in zip(rows[0], cells, strict=True)]
    tables = [
        draw_table(titles, part, columns, ruled=True)
        for titles, part in zip(parts, rows, strict=True)
    ]
    return "\n".join([*tables, "", _legend(scores), *_untimed(scores)])


def _format_quality(scores: Scores, contestant: str, separator: str) -> list[str]:
    """Return the cells of a contestant's means.

    Beside costs only the leading metric has its interval and comparison.
    """
    compared = len(scores.values) > 1 and contestant != scores.reference
    cells = []
    for metric in scores.metrics:
        lines = [*_format_mean(scores.mean(contestant, metric))]
        if compared:
            lines.append(
                _format_comparison(scores.compare_with_reference(contestant, metric), metric)
            )
        is_short = scores.costs and metric != scores.metrics[0]
        cells.append(separator.join(lines[:1] if is_short else lines))
    for mean in scores.pooled.get(contestant, {}).values():
        cells.append(separator.join(_format_mean(mean)[: 1 if scores.costs else 2]))
    return cells


def _format_cost(cost: SegmenterCost, runtimes: Sequence[str], separator: str) -> list[str]:
    """Return the cells of what a network costs."""
    cells = [f"{cost.width}×{cost.height}", _format_count(cost.parameters)]
    cells.append("–" if cost.macs is None else _format_count(cost.macs))
    for runtime in runtimes:
        timing = cost.runtimes.get(runtime)
        ms = timing.ms if timing else None
        quartiles = f"[{ms.low:.1f} … {ms.high:.1f}]" if ms else ""
        cells.append(f"{ms.median:.1f}{separator}{quartiles}" if ms else "–")
    return cells


def _timed_runtimes(scores: Scores) -> list[str]:
    """Return the names of the runtimes that any network was timed in."""
    costs = scores.costs.values()
    names = dict.fromkeys(name for cost in costs for name in cost.runtimes)
    return [name for name in names if any(_is_timed(cost, name) for cost in costs)]


def _is_timed(cost: SegmenterCost, runtime: str) -> bool:
    """Return whether a network has a time in a runtime."""
    return runtime in cost.runtimes and cost.runtimes[runtime].ms is not None


def _untimed(scores: Scores) -> list[str]:
    """Return a line for each network and runtime without a time, with the reason."""
    return [
        f"{printable(contestant)} has no time in {runtime}: {timing.error}"
        for contestant, cost in scores.costs.items()
        for runtime, timing in cost.runtimes.items()
        if timing.error
    ]


def _legend(scores: Scores) -> str:
    """Return a line on what was measured, and on how numbers are compared."""
    pictures = f"{len(scores.pictures)} picture" + "s" * (len(scores.pictures) != 1)
    where = "unknown pixels" if scores.region == "unknown" else "whole picture"
    legend = f"{pictures}, {where}; mean [95 % interval]"
    if len(scores.values) > 1:
        sign = "+ and −" if scores.metrics[0] in MASK_METRICS else "×"
        legend += f"; {sign}: compared with {printable(scores.reference)}"
    if scores.costs:
        threads = scores.machine["threads"]
        legend += f"; ms: median [quartiles] of the network alone, {threads} threads"
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


def _format_count(count: int) -> str:
    """Return a large number in thousands, millions or milliards, with three digits."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return (
                f"{count / size:.3g} {unit}"
                if count < 1000 * size
                else f"{count / size:.0f} {unit}"
            )
    return str(count)


def _format_number(value: float) -> str:
    """Return the number with four digits at most."""
    return f"{value:.4f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
