"""How long whole runs over a folder take: one process, several, and beside them `rembg p`.

    python benchmarks/whole_runs.py FOLDER [--rembg REMBG --network u2netp.onnx] [--rounds 2]
        [--only balanced fast …] [--json FILE]

FOLDER has the photos; REMBG is the command of an environment that has it, which runs U²-Net's small
network. Every run is a process from start to end, with an empty folder of results; networks that
are compiled once on a machine are so before, by a run over one photo that doesn't count. Runs
alternate. Of each: seconds, seconds of processors, and their ratio, wall / (processors' seconds /
number of processors), which is 1 where no processor ever waits; beside rembg, the ratio of the
seconds. rembg cuts along a mask; matte refines the edges and cleans the colours.

Where other programs run, `chrt -f 5 python benchmarks/whole_runs.py …` keeps them out.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
from harness import Row

from matte.runtime.threads import usable_threads

MATTE = {
    "balanced": ("--preset", "balanced"),
    "balanced, --jobs auto": ("--preset", "balanced", "--jobs", "auto"),
    "fast": ("--preset", "fast"),
    "fast, --jobs auto": ("--preset", "fast", "--jobs", "auto"),
}
REMBG = "rembg p"


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "whole_runs.json", data=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rembg", type=Path)
    parser.add_argument("--network", type=Path, help="u2netp.onnx, for rembg")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0, help="seconds between two runs")
    parser.add_argument("--only", nargs="+", default=[*MATTE, REMBG], choices=[*MATTE, REMBG])
    options = parser.parse_args()
    names = [name for name in options.only if name != REMBG or options.rembg]
    photos = sum(path.is_file() for path in options.folder.iterdir())
    found: dict[str, list[Row]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        first = place / "first"
        first.mkdir()
        shutil.copy(min(options.folder.iterdir()), first)
        for each in names:
            run(each, first, place, options)
        for number in range(options.rounds):
            for each in names if number % 2 == 0 else reversed(names):
                time.sleep(options.pause)
                found[each].append(run(each, options.folder, place, options))
                print(each, found[each][-1], flush=True)
    rows = [summary(each, runs, found.get(REMBG, [])) for each, runs in found.items()]
    harness.show(rows, f"{photos} photos")
    policy = {os.SCHED_FIFO: "fifo"}.get(os.sched_getscheduler(0), "usual")
    about = {"photos": photos, "processors": usable_threads(), "scheduling": policy}
    harness.write(options.json, {**about, "rows": rows, "runs": found})


def run(name: str, folder: Path, place: Path, options: argparse.Namespace) -> Row:
    """Run a program over the folder; return its seconds, and those of its processors."""
    out = place / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    environment = dict(os.environ)
    if name == REMBG:
        models = place / "models"
        models.mkdir(exist_ok=True)
        if not (models / "u2netp.onnx").exists():
            shutil.copy(options.network, models / "u2netp.onnx")
        environment["U2NET_HOME"] = str(models)
        command = [str(options.rembg), "p", "-m", "u2netp", str(folder), str(out)]
    else:
        matte = [sys.executable, "-m", "matte", "image", str(folder), "-o", str(out), "-q"]
        command = [*matte, *MATTE[name]]
    quiet = subprocess.DEVNULL
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    written = sum(path.is_file() for path in out.iterdir())
    expected = sum(path.is_file() for path in folder.iterdir())
    if status or written != expected:
        raise SystemExit(f"{name} failed: {written} of {expected} results")
    processors = used.ru_utime + used.ru_stime
    return {"s": round(seconds, 2), "processors' s": round(processors, 2)}


def summary(name: str, runs: list[Row], beside: list[Row]) -> Row:
    """Return the medians of a program's runs, and the ratio to rembg's of the same rounds."""
    waits = [run["s"] / (run["processors' s"] / usable_threads()) for run in runs]
    row: Row = {
        "run": name,
        "s": statistics.median(run["s"] for run in runs),
        "processors' s": statistics.median(run["processors' s"] for run in runs),
        "wall / (processors' s / processors)": round(statistics.median(waits), 3),
    }
    if beside:
        for key, words in (("s", "× rembg"), ("processors' s", "× rembg, processors' s")):
            ratios = [run[key] / other[key] for run, other in zip(runs, beside, strict=True)]
            row[words] = round(statistics.median(ratios), 3)
    return row


if __name__ == "__main__":
    main()
