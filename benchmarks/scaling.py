"""Time and memory as pictures grow: `matte image`, its refinement, and other ways to refine.

    python benchmarks/scaling.py DATA [--only sizes unknown memory whole] [--pictures FOLDER]
    python benchmarks/scaling.py DATA --only-plot

large.py makes the pictures. "sizes": 1 … 100 megapixels, the trimap being that of `balanced`;
"unknown": 1 … 30 % unknown at 12 megapixels; "memory": peaks under --max-memory; "whole": the
whole picture in torch, its attention step by step, up to 12 megapixels, which takes minutes and is
left out unless it is named. Every row is a process of its own: the median seconds and the highest
peak of three. PyMatting gets 300 s and 16 GiB, and is not run again with more than it failed
with. Each part replaces that part of results/scaling.json; docs/images/scaling.png shows all.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import harness
import numpy as np
from harness import Row
from large import KINDS, picture_files, trimap_with_share
from scaling_plot import draw_scaling

from matte.arrays import UNKNOWN
from matte.bench.process_timing import MATTE_COMMAND, Command, run_once
from matte.configs.amounts import parse_bytes
from matte.errors import BackendError
from matte.files import write_file
from matte.media.encoding import encode
from matte.media.pictures import read_alpha

WORKER = (sys.executable, str(Path(__file__).with_name("refining.py")))
MEGAPIXELS = (1, 2, 6, 12, 24, 50, 100)
SHARES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
SHARES_MEGAPIXELS = 12
LIMITS = ("512MiB", "1GiB", "2GiB", "4GiB")
LIMITED_MEGAPIXELS = (12, 24, 100)
MAX_WHOLE_MEGAPIXELS = 12  # up to which torch runs
MAX_SECONDS, MAX_GIB = 300, 16  # of PyMatting
TILINGS = ("auto", "off")
TWICE = ("--times", "2")


def main() -> None:
    """Measure, print, write, draw."""
    parser = harness.parser(__doc__, "scaling.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=("sizes", "unknown", "memory"))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--megapixels", nargs="+", type=float, default=MEGAPIXELS)
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES)
    parser.add_argument("--at", type=float, default=SHARES_MEGAPIXELS)
    parser.add_argument("--limited", nargs="+", type=float, default=LIMITED_MEGAPIXELS)
    parser.add_argument("--seconds", type=float, default=MAX_SECONDS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="keep the pictures in this folder")
    parser.add_argument("--plot", type=Path, default=harness.IMAGES / "scaling.png")
    parser.add_argument("--only-plot", action="store_true")
    options = parser.parse_args()
    report: Row = json.loads(options.json.read_text()) if options.json.is_file() else {}
    with tempfile.TemporaryDirectory() as place:
        folder = options.pictures or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        for part in () if options.only_plot else options.only:
            rows = []
            for row in PARTS[part](LargeRuns(options, folder)):
                rows.append(row)
                print(summary(row), flush=True)
            measured: Row = {"runs": options.runs, "rows": rows}
            if part == "unknown":
                measured["fits"] = fit_lines(rows)
            report = harness.write_part(options.json, part, measured)
    if report:
        write_file(options.plot, encode(draw_scaling(report), ".png"), overwrite=True)


class LargeRuns:
    """Processes that are timed on large pictures, which lie in one folder."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self._folder = options, folder
        self._failed: set[str] = set()  # kinds at which PyMatting failed

    def picture(self, kind: str, megapixels: float) -> str:
        """Return the name of a picture in the folder, made with the trimap of `balanced`."""
        name = f"{kind}0-{megapixels:g}mp"
        picture, trimap, alpha = self.files(name)
        if not (picture.is_file() and alpha.is_file()):
            KINDS[kind](self.options.data, 0, megapixels).save(self._folder)
        words = ("image", str(picture), "--trimap", str(trimap), "--overwrite")
        run_once(Command("matte", (*MATTE_COMMAND, *words, "-o", str(self._folder / "out.png"))))
        return name

    def files(self, name: str) -> tuple[Path, Path, Path]:
        """Return where a picture, its trimap and its alpha are."""
        return picture_files(self._folder, name)

    def line(self, name: str, *words: str, runs: int = 0) -> Row:
        """Return what `matte image` takes for a picture on white, and what it reports."""
        report = self._folder / "report.json"
        words = ("image", str(self.files(name)[0]), *words, "--report", str(report), "--overwrite")
        words = (*MATTE_COMMAND, *words, "--bg", "white", "-o", str(self._folder / "out.png"))
        row = time_processes(Command("matte", words), runs or self.options.runs)
        if "error" in row:
            return row
        (found,) = json.loads(report.read_text())["pictures"]
        assert "fallback" not in found, found
        row |= {f"{stage}_ms": ms for stage, ms in found["ms"].items()}
        names = ("width", "height", "unknown", "refined")
        return row | {name: found[name] for name in names if name in found}

    def refiner(self, name: str, method: str, runs: int, *words: str) -> Row:
        """Return what a process takes that refines by a method."""
        picture, trimap, alpha = map(str, self.files(name))
        result = self._folder / "result.json"
        command = (*WORKER, method, picture, trimap, str(result), "--truth", alpha, *words)
        row = time_processes(Command(method, command, result=result), runs)
        if "error" in row:
            return row
        found = json.loads(result.read_text())
        return row | {key: found[key] for key in found.keys() - {"date", "machine"}}

    def tiled(self, name: str, tile: str) -> Row:
        """Return the same of our network, and what it takes the second time in one process."""
        row = self.refiner(name, tile, self.options.runs)
        if "error" not in row:
            row["warm_ms"] = self.refiner(name, tile, 1, *TWICE)["ms"][-1]
        return row

    def closed_form(self, name: str, kind: str) -> Row:
        """Return the same of PyMatting, unless it failed with less."""
        if kind in self._failed:
            return {"error": "not tried: it failed with less"}
        limits = ("--seconds", str(self.options.seconds), "--gib", str(MAX_GIB))
        row = self.refiner(name, "closed-form", 1, *limits)
        self._failed |= {kind} if "error" in row else set()
        return row


def sizes(runs: LargeRuns) -> Iterator[Row]:
    """Yield what `matte image`, warm and cold, and each way to refine take, by size."""
    for kind in runs.options.kinds:
        for megapixels in runs.options.megapixels:
            name = runs.picture(kind, megapixels)
            row: Row = {"kind": kind, "megapixels": megapixels, **runs.line(name)}
            row["warm"] = runs.refiner(name, "line", 1, *TWICE)
            row |= {tile: runs.tiled(name, tile) for tile in TILINGS}
            yield {**row, "closed-form": runs.closed_form(name, kind)}


def unknown(runs: LargeRuns) -> Iterator[Row]:
    """Yield the same by the share of unknown, which is drawn around the truth's soft alpha."""
    for kind in runs.options.kinds:
        name = runs.picture(kind, runs.options.at)
        _, trimap, alpha = runs.files(name)
        levels = np.rint(255 * read_alpha(alpha)).astype(np.uint8)
        last = -1.0
        for share in runs.options.shares:
            known = trimap_with_share(levels, share)
            if (known == UNKNOWN).mean() == last:
                continue  # soft alpha alone is more
            last = float((known == UNKNOWN).mean())
            write_file(trimap, encode(known, ".png"), overwrite=True)
            row: Row = {"kind": kind, "megapixels": runs.options.at, "asked": share}
            row |= runs.line(name, "--trimap-in", str(trimap))
            row["auto"] = runs.tiled(name, "auto")
            yield {**row, "closed-form": runs.closed_form(name, kind)}


def memory(runs: LargeRuns) -> Iterator[Row]:
    """Yield peaks under limits."""
    for kind in runs.options.kinds:
        for megapixels in runs.options.limited:
            name = runs.picture(kind, megapixels)
            for limit in LIMITS:
                row: Row = {"kind": kind, "megapixels": megapixels, "limit": limit}
                row |= runs.line(name, "--max-memory", limit, runs=1)
                if "peak_mib" in row:
                    row["used"] = round(row["peak_mib"] / (parse_bytes(limit) / 2**20), 3)
                yield row


def whole(runs: LargeRuns) -> Iterator[Row]:
    """Yield what torch takes on whole pictures, once."""
    for kind in runs.options.kinds:
        for megapixels in (m for m in runs.options.megapixels if m <= MAX_WHOLE_MEGAPIXELS):
            name = runs.picture(kind, megapixels)
            torch = runs.refiner(name, "torch", 1)
            yield {"kind": kind, "megapixels": megapixels, "torch": torch}


PARTS: dict[str, Callable[[LargeRuns], Iterator[Row]]] = {
    "sizes": sizes,
    "unknown": unknown,
    "memory": memory,
    "whole": whole,
}


def time_processes(command: Command, runs: int) -> Row:
    """Return median seconds and the highest peak of processes; or why there are none."""
    seconds, peaks = [], []
    for _ in range(runs):
        try:
            once = run_once(command)
        except BackendError as error:
            # Names, no folders: results are read on other machines.
            return {"error": re.sub(r"/\S+/", "", str(error))}
        seconds.append(once["seconds"])
        peaks.append(once["peak_mib"])
    return {
        "seconds": round(statistics.median(seconds), 3),
        "spread": round(max(seconds) - min(seconds), 3),
        "peak_mib": max(peaks),
    }


def summary(row: Row) -> str:
    """Return the row in short."""
    names = ("kind", "megapixels", "limit", "unknown", "used")
    words = [f"{row[name]}" for name in names if name in row]
    measured = {"matte image": row, **{k: v for k, v in row.items() if isinstance(v, dict)}}
    for name, part in measured.items():
        if "error" in part:
            words.append(f"{name}: {part['error']}")
        elif "seconds" in part:
            words.append(f"{name}: {part['seconds']} s, {part['peak_mib']:.0f} MiB")
    return "; ".join(words)


def fit_lines(rows: Sequence[Row]) -> list[Row]:
    """Return for each kind the line through time against unknown megapixels, and its R²."""
    found: list[Row] = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        of_kind = [row for row in rows if row["kind"] == kind and "seconds" in row]
        if len(of_kind) < 3:
            continue
        x = np.array([row["unknown"] * row["megapixels"] for row in of_kind])
        for what in ("whole command", "refine"):
            is_whole = what == "whole command"
            y = np.array([r["seconds"] if is_whole else r["refine_ms"] / 1000 for r in of_kind])
            slope, start = np.polyfit(x, y, 1)
            rest = float(np.square(y - start - slope * x).sum() / np.square(y - y.mean()).sum())
            row: Row = {"kind": kind, "what": what, "seconds": round(float(start), 3)}
            row["seconds_for_each_unknown_megapixel"] = round(float(slope), 3)
            found.append({**row, "r2": round(1 - rest, 4)})
    harness.show(found)
    return found


if __name__ == "__main__":
    main()
