"""A benchmark's results as tables to read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matte.bench.line_timing import LineTiming
from matte.bench.report import MATTE_IMAGE, BenchReport, SizeReport
from matte.errors import printable
from matte.metrics.timings import TimingSpread
from matte.text_tables import draw_table

NO_VALUE = "–"


def draw_tables(report: BenchReport, columns: int | None = None) -> str:
    """Return the report as text for `columns` characters; None: a line for each row."""
    machine = report.machine
    parts = [
        f"{printable(report.picture)}, preset {report.preset}; {machine['processor']},"
        f" {machine['threads']} threads"
    ]
    for measured in report.sizes:
        parts.append(_size_title(measured))
        parts.append(_candidate_table(measured).draw(columns))
        parts += [printable(f"{each.name}: {each.error}") for each in measured.warm if each.error]
        if measured.processes:
            parts.append(_process_table(measured, list(report.peers)).draw(columns))
        parts += [
            printable(f"{each.name}: {each.error}") for each in measured.processes if each.error
        ]
    for kind, facts in report.choice.items():
        execution = f"{facts['backend']} {facts['device']} {facts['precision']}"
        parts.append(f"auto, {kind} {facts['name']}: {execution}, {facts['why']}")
    return "\n".join(parts)


def _size_title(measured: SizeReport) -> str:
    """Return the heading of a size, which names the fastest candidate."""
    size, fastest = measured.size, measured.fastest
    best = f"fastest: {fastest.name}, {fastest.fps} pictures/s" if fastest else "nothing to rank"
    return f"\n{size.name}: {size.width}×{size.height}, {best}"


@dataclass(frozen=True, slots=True)
class TextTable:
    """The titles and the rows of a table."""

    titles: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def draw(self, columns: int | None) -> str:
        """Return the table as text for `columns` characters; None: a line for each row."""
        return draw_table(self.titles, self.rows, columns)


def _candidate_table(measured: SizeReport) -> TextTable:
    """Return the table of candidates: stages, totals, memory, differences."""
    stages = list(dict.fromkeys(name for warm in measured.warm for name in warm.stages))
    cold = ("cold s",) if measured.cold else ()
    grid = TextTable(
        ["ms, warm", *stages, "all", "fps", "load", *cold, "MiB", "alpha apart: max, mean"]
    )
    for warm in measured.warm:
        started = measured.cold.get(warm.name)
        seconds = [_format_seconds(started.seconds if started else None)] if measured.cold else []
        grid.rows.append(
            [
                warm.name + (f" ({warm.note})" if warm.note else ""),
                *(_format_ms(warm.stages.get(stage)) for stage in stages),
                _format_ms(warm.total),
                NO_VALUE if warm.fps is None else f"{warm.fps:.2f}",
                f"{warm.load_ms:.0f}" if warm.load_ms else NO_VALUE,
                *seconds,
                NO_VALUE if warm.peak_mib is None else f"{warm.peak_mib:.0f}",
                _format_difference(warm),
            ]
        )
    return grid


def _process_table(measured: SizeReport, peers: Sequence[str]) -> TextTable:
    """Return the table of whole processes, compared with matte and with peers."""
    timed = {each.name for each in measured.processes if each.seconds}
    compared = [name for name in (MATTE_IMAGE, *peers) if name in timed]
    grid = TextTable(["whole process", "s", "MiB", *(f"× {name}" for name in compared)])
    for each in measured.processes:
        ratios = (measured.ratio(each, name) for name in compared)
        grid.rows.append(
            [
                each.name + (f" ({each.note})" if each.note else ""),
                _format_seconds(each.seconds),
                NO_VALUE if each.peak_mib is None else f"{each.peak_mib:.0f}",
                *(NO_VALUE if ratio is None else f"{ratio:.2f}" for ratio in ratios),
            ]
        )
    return grid


def _format_ms(found: TimingSpread | None) -> str:
    """Format the median of milliseconds ± half the interquartile range; – without timings."""
    if found is None:
        return NO_VALUE
    digits = 1 if found.median < 100 else 0
    return f"{found.median:.{digits}f} ±{(found.high - found.low) / 2:.{digits}f}"


def _format_seconds(found: TimingSpread | None) -> str:
    """Return the median of seconds, and half the distance of the quartiles."""
    return NO_VALUE if found is None else f"{found.median:.2f} ±{(found.high - found.low) / 2:.2f}"


def _format_difference(warm: LineTiming) -> str:
    """Return the largest and mean difference of a candidate's alpha."""
    if warm.largest is None or warm.mean is None:
        return NO_VALUE
    return f"{warm.largest:.1g}, {warm.mean:.1g}"
