"""What the benchmarks share: arguments, timings, processes, tables, and results with their machine.

parser = harness.parser(__doc__, "video.json")
rows = harness.time_in_turns({"old": old, "new": new}, rounds=5)
harness.write(options.json, {"rows": rows})
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from matte.files import write_file
from matte.metrics.timings import TimingSpread, summarise_timings
from matte.runtime.machine import describe_machine
from matte.runtime.processor import processor_abilities

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
SAMPLE = Path(__file__).parents[1] / "matte" / "media" / "samples" / "astronaut.jpg"
Row = dict[str, Any]


def parser(text: str | None, results: str = "", data: bool = True) -> argparse.ArgumentParser:
    """Return a parser with --json, and DATA first; `text` is the help as it is written.

    `results` names the file in benchmarks/results that --json stands for if it is not given;
    without, nothing is written then.
    """
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if data:
        made.add_argument("data", type=Path, metavar="DATA", help="the folder with the data sets")
    default = RESULTS / results if results else None
    made.add_argument("--json", type=Path, default=default, metavar="FILE")
    return made


def about() -> Row:
    """Return the date and the machine, which stand at the head of all results."""
    abilities = asdict(processor_abilities())
    return {"date": date.today().isoformat(), "machine": {**describe_machine(), **abilities}}


def write(file: Path | None, report: Row) -> None:
    """Write a report as JSON, below its date and machine; without a file nothing."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**about(), **report}, indent=1, ensure_ascii=False)
        write_file(file, (text + "\n").encode(), overwrite=True)


def write_part(file: Path, part: str, report: Row) -> Row:
    """Replace one part of a file of results, with its own date and machine; return the whole."""
    whole: Row = json.loads(file.read_text()) if file.is_file() else {}
    whole[part] = {**about(), **report}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, (json.dumps(whole, indent=1) + "\n").encode(), overwrite=True)
    return whole


def time_call(
    call: Callable[[], object],
    runs: int = 5,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> TimingSpread:
    """Return the milliseconds of a call, after some that don't count.

    `clock` is time.process_time or time.thread_time where neighbours must not be counted.
    """
    return time_in_turns({"": call}, runs, warm_up=warm_up, clock=clock)[""]


def time_in_turns(
    calls: Mapping[str, Callable[[], object]],
    rounds: int = 5,
    each: int = 1,
    pause: float = 0,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, TimingSpread]:
    """Return each call's milliseconds; calls alternate, so that a busy moment hits all.

    In each of the rounds a call waits `pause` seconds and runs `each` times. Before the first one,
    or, with a pause, before each, it warms up.
    """
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name, call in calls.items():
            time.sleep(pause)
            for _ in range(warm_up if pause or number == 0 else 0):
                call()
            for _ in range(each):
                start = clock()
                call()
                found[name].append(1000 * (clock() - start))
    return {name: summarise_timings(values, 3) for name, values in found.items()}


def run_self(*words: object, **environment: str) -> Any:
    """Run the running script in a process of its own; return what its last line holds as JSON."""
    command = [sys.executable, str(Path(sys.argv[0]).resolve()), *map(str, words)]
    env = {**os.environ, **environment}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def means(rows: Sequence[Mapping[str, float]], digits: int = 2) -> dict[str, float]:
    """Return the mean of each number over the rows, which all have the same ones."""
    return {name: round(statistics.mean(row[name] for row in rows), digits) for name in rows[0]}


def show(rows: Iterable[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table whose columns are all their names."""
    rows = list(rows)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        table.add_column(
            name, justify="right" if any(_is_number(r, name) for r in rows) else "left"
        )
    for row in rows:
        table.add_row(*(_text(row.get(name, "")) for name in names))
    width = None if sys.stdout.isatty() else 200
    Console(width=width, highlight=False).print(table)


def _is_number(row: Mapping[str, Any], name: str) -> bool:
    return isinstance(row.get(name), int | float)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
