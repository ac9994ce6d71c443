"""What was measured, as tables to read."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from matte.bench.report import MATTE, BenchReport, Measured
from matte.bench.spread import Spread
from matte.bench.warm import Warm

NOTHING = "–"
UNLIMITED = 1000  # columns, where no terminal sets a limit


def draw_tables(report: BenchReport, columns: int | None = None) -> str:
    """The report for a terminal of `columns` characters; without, a line for each row."""
    machine = report.machine
    parts = [
        f"{report.picture}, preset {report.preset}; {machine['processor']},"
        f" {machine['threads']} threads"
    ]
    for measured in report.sizes:
        parts.append(_title(measured))
        parts.append(_drawn(_runtimes(measured), columns))
        parts += [f"{each.name}: {each.error}" for each in measured.warm if each.error]
        if measured.processes:
            parts.append(_drawn(_processes(measured, list(report.peers)), columns))
        parts += [f"{each.name}: {each.error}" for each in measured.processes if each.error]
    for kind, facts in report.choice.items():
        execution = f"{facts['backend']} {facts['device']} {facts['precision']}"
        parts.append(f"auto, {kind} {facts['name']}: {execution}, {facts['why']}")
    return "\n".join(parts)


def _title(measured: Measured) -> str:
    size, fastest = measured.size, measured.fastest
    best = f"fastest: {fastest.name}, {fastest.fps} pictures/s" if fastest else "nothing to rank"
    return f"\n{size.name}: {size.width}×{size.height}, {best}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's titles and texts."""

    titles: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)


def _runtimes(measured: Measured) -> Grid:
    stages = list(dict.fromkeys(name for warm in measured.warm for name in warm.stages))
    cold = ("cold s",) if measured.cold else ()
    grid = Grid(["ms, warm", *stages, "all", "fps", "load", *cold, "MiB", "alpha apart: max, mean"])
    for warm in measured.warm:
        started = measured.cold.get(warm.name)
        seconds = [_seconds(started.seconds if started else None)] if measured.cold else []
        grid.rows.append(
            [
                warm.name + (f" ({warm.note})" if warm.note else ""),
                *(_ms(warm.stages.get(stage)) for stage in stages),
                _ms(warm.total),
                NOTHING if warm.fps is None else f"{warm.fps:.2f}",
                f"{warm.load_ms:.0f}" if warm.load_ms else NOTHING,
                *seconds,
                NOTHING if warm.peak_mib is None else f"{warm.peak_mib:.0f}",
                _apart(warm),
            ]
        )
    return grid


def _processes(measured: Measured, peers: Sequence[str]) -> Grid:
    timed = {each.name for each in measured.processes if each.seconds}
    compared = [name for name in (MATTE, *peers) if name in timed]
    grid = Grid(["whole process", "s", "MiB", *(f"× {name}" for name in compared)])
    for each in measured.processes:
        ratios = (measured.ratio(each, name) for name in compared)
        grid.rows.append(
            [
                each.name + (f" ({each.note})" if each.note else ""),
                _seconds(each.seconds),
                NOTHING if each.peak_mib is None else f"{each.peak_mib:.0f}",
                *(NOTHING if ratio is None else f"{ratio:.2f}" for ratio in ratios),
            ]
        )
    return grid


def _drawn(grid: Grid, columns: int | None) -> str:
    table = Table(box=SIMPLE_HEAD if columns else None, pad_edge=False)
    for number, title in enumerate(grid.titles):
        table.add_column(title, justify="right" if number else "left")
    for row in grid.rows:
        table.add_row(*row)
    console = Console(file=io.StringIO(), width=columns or UNLIMITED, color_system=None)
    console.print(table)
    lines: Iterable[str] = console.file.getvalue().rstrip().splitlines()  # type: ignore[attr-defined]  # a StringIO
    return "\n".join(line.rstrip() for line in lines)


def _ms(found: Spread | None) -> str:
    """The median, and half the distance of the quartiles."""
    if found is None:
        return NOTHING
    digits = 1 if found.median < 100 else 0
    return f"{found.median:.{digits}f} ±{(found.high - found.low) / 2:.{digits}f}"


def _seconds(found: Spread | None) -> str:
    return NOTHING if found is None else f"{found.median:.2f} ±{(found.high - found.low) / 2:.2f}"


def _apart(warm: Warm) -> str:
    if warm.largest is None or warm.mean is None:
        return NOTHING
    return f"{warm.largest:.1g}, {warm.mean:.1g}"
