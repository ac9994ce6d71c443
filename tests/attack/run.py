"""Attacks matte: `python tests/attack/run.py KIND --count N --seed S`.

Each case is made by the seed and its number: `--only NUMBER` repeats one, and keeps its folder.
The exit status is 1 if anything was found.
"""

import argparse
import importlib
import json
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.attack.room import Room, Server  # noqa: E402  # after the line above

SMALL_COUNTS = {  # for `all`: a minute or two
    "pictures": 30,
    "networks": 8,
    "clips": 15,
    "kills": 3,
    "signals": 4,
    "disks": 6,
    "caches": 3,
    "memory": 1,
    "places": 10,
    "downloads": 12,
    "tables": 12,
}


class Attack:
    """The cases of one kind."""

    def __init__(self, kind: str, seed: int, code: Path, folder: Path) -> None:
        self.kind, self._seed, self._code = kind, seed, code
        self._module = importlib.import_module(f"tests.attack.{kind}")
        self._folder = folder / kind
        self._home, self._shared = self._folder / "home", self._folder / "shared"
        for each in (self._home, self._shared):
            each.mkdir(parents=True)
        self._own = threading.local()
        self._servers: list[Server] = []
        self._module.prepare(self._room(-1))
        self.close()

    def run(self, number: int) -> dict[str, Any]:
        """Runs one case; returns what was found, and how often `matte` ran."""
        room, began = self._room(number), time.perf_counter()
        try:
            self._module.attack(room)
        except Exception:  # noqa: BLE001  # a case of ours is broken: the others go on
            room.report(f"the case itself failed: {traceback.format_exc()}")
        if not room.found:
            shutil.rmtree(room.folder, ignore_errors=True)
        seconds = round(time.perf_counter() - began, 2)
        return {"case": number, "runs": room.runs, "seconds": seconds, "found": room.found}

    def close(self) -> None:
        """Ends the processes; those that are needed again start anew."""
        for server in self._servers:
            server.close()

    def _room(self, number: int) -> Room:
        if not hasattr(self._own, "server"):
            modules = getattr(self._module, "MODULES", ())
            self._own.server = Server(self._code, self._home, modules)
            self._servers.append(self._own.server)
        folder = self._folder / f"case-{number}"
        folder.mkdir()
        numbers = random.Random(f"{self.kind} {self._seed} {number}")
        return Room(folder, numbers, self._own.server, number, self._shared)


def run_kind(attack: Attack, cases: Sequence[int], jobs: int) -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(attack.run, cases):
            for text in result["found"]:
                sys.stdout.write(f"{attack.kind} {result['case']}: {text}\n")
                sys.stdout.flush()
            yield result


@contextmanager
def work_folder(kept: Path | None) -> Iterator[Path]:
    """A folder for the cases, which is removed afterwards unless it was named."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="matte-attack-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "kind", choices=(*SMALL_COUNTS, "all"), help="all: a few cases of each kind"
    )
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, help="run one case")
    parser.add_argument("--code", type=Path, default=ROOT, help="another checkout to attack")
    parser.add_argument("--folder", type=Path, help="work there, and leave what was found")
    parser.add_argument("--out", type=Path, help="write a report (JSON)")
    asked = parser.parse_args()
    chosen = SMALL_COUNTS
    if asked.kind != "all":
        chosen = {asked.kind: asked.count or SMALL_COUNTS[asked.kind]}
    report = {}
    with work_folder(asked.folder) as folder:
        for kind, count in chosen.items():
            began = time.perf_counter()
            attack = Attack(kind, asked.seed, asked.code.resolve(), folder)
            cases = range(count) if asked.only is None else [asked.only]
            results = list(run_kind(attack, cases, asked.jobs))
            attack.close()
            failed = [result for result in results if result["found"]]
            report[kind] = {
                "seed": asked.seed,
                "cases": len(results),
                "runs": sum(result["runs"] for result in results),
                "failed": len(failed),
                "seconds": round(time.perf_counter() - began),
                "findings": failed,
            }
            numbers = {key: value for key, value in report[kind].items() if key != "findings"}
            sys.stdout.write(f"{kind}: {json.dumps(numbers)}\n")
            if asked.out is not None:
                asked.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(rows["failed"] for rows in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
