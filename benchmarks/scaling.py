"""Time and memory as pictures grow: `matte image`, its refinement, and other ways to refine.

    python benchmarks/scaling.py DATA [--only sizes unknown memory whole] [--cases FOLDER]
    python benchmarks/scaling.py --plot-only

DATA is what large.py takes. "sizes": 1 … 100 megapixels, the trimap being that of `balanced`;
"unknown": 1 … 30 % unknown at 12 megapixels; "memory": what is left of --max-memory; "whole": the
whole picture in torch, its attention step by step, up to 12 megapixels, which takes minutes and is
left out unless it is named. Every row is a process of its own: the median seconds and the highest
peak of three. PyMatting gets 300 s and 16 GiB, and is not asked again with more than it failed
with. What is measured replaces that part of results/scaling.json; docs/images/scaling.png
is drawn of all of it.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from large import KINDS, banded, files
from scaling_plot import draw_scaling

from matte.arrays import UNKNOWN
from matte.bench.processes import MATTE, Command, run_once
from matte.configs.amounts import parse_bytes
from matte.errors import BackendError
from matte.files import write_file
from matte.media.encoding import encode
from matte.media.pictures import read_alpha
from matte.runtime.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "scaling.json"
PLOT = Path(__file__).parents[1] / "docs" / "images" / "scaling.png"
WORKER = (sys.executable, str(Path(__file__).with_name("refining.py")))
MEGAPIXELS = (1, 2, 6, 12, 24, 50, 100)
SHARES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
AT = 12  # megapixels, where the share of unknown is what changes
LIMITS = ("512MiB", "1GiB", "2GiB", "4GiB")
LIMITED = (12, 24, 100)  # megapixels
WHOLE = 12  # megapixels up to which torch is asked
SECONDS, GIB = 300, 16  # that PyMatting may take
OURS = ("auto", "off")
TWICE = ("--times", "2")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, and where its pictures are kept."""

    data: Path
    folder: Path
    kinds: Sequence[str]
    megapixels: Sequence[float]
    shares: Sequence[float]
    at: float
    limited: Sequence[float]
    seconds: float
    runs: int

    def sizes(self) -> list[Row]:
        """`matte image`, warm and cold, and each way to refine, by size."""
        rows: list[Row] = []
        failed: set[str] = set()
        for kind in self.kinds:
            for mega in self.megapixels:
                name = self.case(kind, mega)
                row: Row = {"kind": kind, "megapixels": mega, **self.line(name)}
                row["warm"] = self.refined(name, "line", 1, *TWICE)
                for way in OURS:
                    row[way] = self.ours(name, way)
                row["closed-form"] = self.closed_form(name, kind, failed)
                rows.append(shown(row))
        return rows

    def unknown(self) -> list[Row]:
        """The same by the share of unknown, which is drawn around the truth's soft alpha."""
        rows: list[Row] = []
        failed: set[str] = set()
        for kind in self.kinds:
            name = self.case(kind, self.at)
            trimap = files(self.folder, name)[1]
            levels = np.rint(255 * read_alpha(files(self.folder, name)[2])).astype(np.uint8)
            last = -1.0
            for share in self.shares:
                known = banded(levels, share)
                if (known == UNKNOWN).mean() == last:
                    continue  # soft alpha alone is more
                last = float((known == UNKNOWN).mean())
                write_file(trimap, encode(known, ".png"), overwrite=True)
                row: Row = {"kind": kind, "megapixels": self.at, "asked": share}
                row |= self.line(name, "--trimap-in", str(trimap))
                row["auto"] = self.ours(name, "auto")
                row["closed-form"] = self.closed_form(name, kind, failed)
                rows.append(shown(row))
        return rows

    def memory(self) -> list[Row]:
        """Peaks under limits."""
        rows = []
        for kind in self.kinds:
            for mega in self.limited:
                name = self.case(kind, mega)
                for limit in LIMITS:
                    row: Row = {"kind": kind, "megapixels": mega, "limit": limit}
                    row |= self.line(name, "--max-memory", limit, runs=1)
                    if "peak_mib" in row:
                        row["used"] = round(row["peak_mib"] / (parse_bytes(limit) / 2**20), 3)
                    rows.append(shown(row))
        return rows

    def whole(self) -> list[Row]:
        """Torch on whole pictures, once."""
        rows = []
        for kind in self.kinds:
            for mega in (m for m in self.megapixels if m <= WHOLE):
                name = self.case(kind, mega)
                row: Row = {"kind": kind, "megapixels": mega}
                rows.append(shown({**row, "torch": self.refined(name, "torch", 1)}))
        return rows

    def case(self, kind: str, megapixels: float) -> str:
        """The name of a picture that lies in the folder, with the trimap of `balanced`."""
        name = f"{kind}0-{megapixels:g}mp"
        picture, trimap, alpha = files(self.folder, name)
        if not (picture.is_file() and alpha.is_file()):
            KINDS[kind](self.data, 0, megapixels).save(self.folder)
        words = ("image", str(picture), "--trimap", str(trimap), "--overwrite")
        run_once(self.command(*words, "-o", str(self.folder / "out.png")))
        return name

    def command(self, *words: str) -> Command:
        """The command line as it is typed."""
        return Command("matte", (*MATTE, *words))

    def line(self, name: str, *words: str, runs: int = 0) -> Row:
        """What `matte image` takes for a picture on white, and what it tells."""
        picture, _, _ = files(self.folder, name)
        report, out = self.folder / "report.json", self.folder / "out.png"
        common = ("--bg", "white", "-o", str(out), "--overwrite", "--report", str(report))
        row = timed(self.command("image", str(picture), *common, *words), runs or self.runs)
        if "error" in row:
            return row
        told = json.loads(report.read_text())
        (found,) = told["pictures"]
        assert "fallback" not in found, found
        kept = ("width", "height", "unknown", "refined")
        stages = {f"{stage}_ms": ms for stage, ms in found["ms"].items()}
        return {**row, **stages, **{key: found[key] for key in kept if key in found}}

    def refined(self, name: str, way: str, runs: int, *words: str) -> Row:
        """What a process takes that refines by a way."""
        picture, trimap, alpha = files(self.folder, name)
        told = self.folder / "told.json"
        command = (*WORKER, way, str(picture), str(trimap), str(told), "--truth", str(alpha))
        row = timed(Command(way, (*command, *words), result=told), runs)
        return row if "error" in row else {**row, **json.loads(told.read_text())}

    def ours(self, name: str, way: str) -> Row:
        """The same of our network, and what it takes the second time in one process."""
        row = self.refined(name, way, self.runs)
        if "error" not in row:
            row["warm_ms"] = self.refined(name, way, 1, *TWICE)["ms"][-1]
        return row

    def closed_form(self, name: str, kind: str, failed: set[str]) -> Row:
        """The same of PyMatting, unless it failed with less."""
        if kind in failed:
            return {"error": "not tried: it failed with less"}
        limits = ("--seconds", str(self.seconds), "--gib", str(GIB))
        row = self.refined(name, "closed-form", 1, *limits)
        failed |= {kind} if "error" in row else set()
        return row


def timed(command: Command, runs: int) -> Row:
    """Median seconds and highest peak of processes; or why there are none."""
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


def shown(row: Row) -> Row:
    """The row, printed in short."""
    names = ("kind", "megapixels", "limit", "unknown", "used")
    told = [f"{row[name]}" for name in names if name in row]
    measured = {"matte image": row, **{k: v for k, v in row.items() if isinstance(v, dict)}}
    for name, part in measured.items():
        if "error" in part:
            told.append(f"{name}: {part['error']}")
        elif "seconds" in part:
            told.append(f"{name}: {part['seconds']} s, {part['peak_mib']:.0f} MiB")
    if "refined" in row:
        told.append(row["refined"]["way"])
    print("; ".join(told), flush=True)
    return row


def fits(rows: Sequence[Row]) -> list[Row]:
    """For each kind the line through time against unknown megapixels: what it starts with, what
    each costs, and R².
    """
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for what in ("whole command", "refine"):
            of_kind = [row for row in rows if row["kind"] == kind and "seconds" in row]
            if len(of_kind) < 3:
                continue
            x = np.array([row["unknown"] * row["megapixels"] for row in of_kind])
            y = np.array(
                [row["seconds"] if what != "refine" else row["refine_ms"] / 1000 for row in of_kind]
            )
            slope, start = np.polyfit(x, y, 1)
            left = float(np.square(y - start - slope * x).sum() / np.square(y - y.mean()).sum())
            found.append(
                {
                    "kind": kind,
                    "what": what,
                    "seconds": round(float(start), 3),
                    "seconds_for_each_unknown_megapixel": round(float(slope), 3),
                    "r2": round(1 - left, 4),
                }
            )
            print(found[-1], flush=True)
    return found


def main() -> None:
    """Measures, prints, writes, draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("sizes", "unknown", "memory", "whole")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts[:3])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--megapixels", nargs="+", type=float, default=MEGAPIXELS)
    parser.add_argument("--shares", nargs="+", type=float, default=SHARES)
    parser.add_argument("--at", type=float, default=AT)
    parser.add_argument("--limited", nargs="+", type=float, default=LIMITED)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--plot", type=Path, default=PLOT)
    parser.add_argument("--plot-only", action="store_true")
    given = parser.parse_args()
    report: Row = json.loads(given.json.read_text()) if given.json.is_file() else {}
    if not given.plot_only:
        if given.data is None:
            parser.error("DATA is missing")
        with tempfile.TemporaryDirectory() as place:
            folder = given.cases or Path(place)
            folder.mkdir(parents=True, exist_ok=True)
            bench = Bench(
                given.data, folder, given.kinds, given.megapixels, given.shares, given.at,
                given.limited, given.seconds, given.runs,
            )  # fmt: skip
            for part in given.only:
                rows = getattr(bench, part)()
                about = {"date": date.today().isoformat(), "machine": describe_machine()}
                report[part] = {**about, "runs": given.runs, "rows": rows}
                if part == "unknown":
                    report[part]["fits"] = fits(rows)
                text = json.dumps(report, indent=1) + "\n"
                write_file(given.json, text.encode(), overwrite=True)
    if report:
        write_file(given.plot, encode(draw_scaling(report), ".png"), overwrite=True)


if __name__ == "__main__":
    main()
