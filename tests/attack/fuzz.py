"""Fuzzes matte for a given time: `python tests/attack/fuzz.py --minutes 20 --seed 1`.

The first half calls what reads strangers' bytes (targets.py), thousands of times in a process of
its own for each kind, which may take 20 s and 3 GiB for an input. Where atheris is installed, each
kind has a second process whose inputs follow the coverage of matte's own lines. The second half
runs the command line: damaged files, kills, full disks, odd places (run.py). Figures are printed
for each kind; every distinct failure with the seed and number that repeat it. The exit status is 1
if anything was found.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.attack.run import SMALL_COUNTS, Attack  # noqa: E402  # after the line above
from tests.attack.targets import TARGETS  # noqa: E402  # as above

WORKER = Path(__file__).with_name("fuzz_worker.py")
ATHERIS = importlib.util.find_spec("atheris") is not None
IN_PROCESS_SHARE = 0.4  # of the time
GUIDED_SHARE = 0.4  # of a kind's time, where atheris is there
KILLS = ("kills", "signals")  # half of the time of the command line
BATCH = 4  # cases of a kind, before the next one's turn


def main() -> int:
    """Fuzz, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kinds", nargs="*", default=[*TARGETS, *SMALL_COUNTS])
    parser.add_argument("--out", type=Path, help="write a report (JSON)")
    asked = parser.parse_args()
    targets = [kind for kind in asked.kinds if kind in TARGETS]
    attacks = [kind for kind in asked.kinds if kind in SMALL_COUNTS]
    seconds = 60 * asked.minutes
    share = IN_PROCESS_SHARE if targets and attacks else bool(targets)
    report: dict[str, Any] = {"seed": asked.seed, "atheris": ATHERIS}
    sys.stdout.write(f"seed {asked.seed}, {'with' if ATHERIS else 'without'} atheris\n")
    with tempfile.TemporaryDirectory(prefix="matte-fuzz-", ignore_cleanup_errors=True) as folder:
        report["inputs"] = fuzz_targets(targets, asked.seed, share * seconds, Path(folder))
        report["runs"] = run_attacks(attacks, asked.seed, (1 - share) * seconds, Path(folder))
    return summarise(report, asked.out)


def fuzz_targets(
    kinds: list[str], seed: int, seconds: float, folder: Path
) -> dict[str, dict[str, Any]]:
    """The figures of each kind of input; each has its share of the time."""
    total = sum(TARGETS[kind].weight for kind in kinds)
    found = {}
    for kind in kinds:
        own = seconds * TARGETS[kind].weight / total
        row: Counter[str] = Counter()
        failures: dict[str, str] = {}
        plain = own * (1 - GUIDED_SHARE) if ATHERIS else own
        run_worker(kind, seed, plain, folder, row, failures, guided=False)
        if ATHERIS:
            run_worker(kind, seed, own - plain, folder, row, failures, guided=True)
        found[kind] = {**row, "failures": failures}
        sys.stdout.write(f"{kind}: {json.dumps(dict(row))}\n")
        for where, how in failures.items():
            sys.stdout.write(f"  {where}: {how}\n")
        sys.stdout.flush()
    return found


def run_worker(
    kind: str,
    seed: int,
    seconds: float,
    folder: Path,
    row: "Counter[str]",
    failures: dict[str, str],
    *,
    guided: bool,
) -> None:
    """Runs workers of a kind until time is over; one that dies is followed by another."""
    end, first = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        place = folder / f"{kind}-{guided}-{first}"
        place.mkdir()
        words = [kind, str(seed), str(first), str(left), str(place)]
        result = subprocess.run(
            [sys.executable, str(WORKER), *words, *(["--guided"] if guided else [])],
            capture_output=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": python_path()},
        )
        state = read_state(place / "state.json")
        number = state.get("number", first)
        for name in ("inputs", "read", "refused", "guided inputs"):
            row[name] += state.get(name, 0)
        row["slowest ms"] = max(row["slowest ms"], state.get("slowest ms", 0))
        for where, text in state.get("failures", {}).items():
            failures.setdefault(where, f"seed {seed}: {text}")
        if state.get("ended"):
            shutil.rmtree(place, ignore_errors=True)
            return
        text = result.stderr.decode(errors="replace").strip()[-1500:]
        repeat = "guided" if guided else f"seed {seed}, number {number}"
        failures.setdefault(f"died, exit {result.returncode}: {text}", repeat)
        kept = Path(tempfile.gettempdir()) / f"matte-fuzz-{kind.replace(' ', '-')}-{number}"
        if (place / "input").exists():
            shutil.copy(place / "input", kept)
        first = number + 1


def python_path() -> str:
    """This checkout, and what the search path holds already."""
    return os.pathsep.join([str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])


def read_state(path: Path) -> dict[str, Any]:
    """What a worker last said of itself."""
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return state


def run_attacks(kinds: list[str], seed: int, seconds: float, folder: Path) -> dict[str, Any]:
    """The figures of each kind of run of the command line; kills have half of the turns."""
    rows: dict[str, Any] = {}
    attacks: dict[str, Attack] = {}
    end = time.monotonic() + seconds
    for kind in turns(kinds) if kinds else ():
        if time.monotonic() >= end:
            break
        if kind not in attacks:
            attacks[kind] = Attack(kind, seed, ROOT, folder)
            rows[kind] = {"cases": 0, "runs": 0, "findings": []}
        row = rows[kind]
        for number in range(row["cases"], row["cases"] + BATCH):
            result = attacks[kind].run(number)
            row["cases"] += 1
            row["runs"] += result["runs"]
            row["findings"] += [f"{kind} {number}: {text}" for text in result["found"]]
            for text in result["found"]:
                sys.stdout.write(f"{kind} {number}: {text}\n")
            sys.stdout.flush()
    for kind, attack in attacks.items():
        attack.close()
        shown = {name: rows[kind][name] for name in ("cases", "runs")}
        sys.stdout.write(f"{kind}: {json.dumps(shown)}\n")
    return rows


def turns(kinds: list[str]) -> Iterator[str]:
    """The kinds in their turns, for ever."""
    numbers = random.Random(0)
    kills = [kind for kind in kinds if kind in KILLS]
    others = [kind for kind in kinds if kind not in KILLS]
    while True:
        for kind in others or kills:
            yield kind
            if kills:
                yield numbers.choice(kills)


def summarise(report: dict[str, Any], out: Path | None) -> int:
    """Prints what was done and found in all, writes it, and returns the exit status."""
    inputs = sum(row["inputs"] for row in report["inputs"].values())
    kills = sum(report["runs"].get(kind, {}).get("cases", 0) for kind in KILLS)
    runs = sum(row["runs"] for row in report["runs"].values())
    failures = sum(len(row["failures"]) for row in report["inputs"].values())
    findings = sum(len(row["findings"]) for row in report["runs"].values())
    sys.stdout.write(
        f"{inputs} inputs, {failures} distinct failures;"
        f" {runs + kills} runs of the command, {kills} of them killed or signalled,"
        f" {findings} findings\n"
    )
    if out is not None:
        out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 1 if failures + findings else 0


if __name__ == "__main__":
    sys.exit(main())
