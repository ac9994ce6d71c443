"""What refining in parts costs in quality, and what it saves.

    python benchmarks/parts.py DATA [--only context ways large] [--pictures 13] [--whole]
    python benchmarks/parts.py --plot-only

DATA is what large.py takes, with matting_gt/alphamatting_lowres besides. "context": how far alpha
in the band is from that of the whole picture, by the side of tiles and by what they see besides,
and what it costs. "ways": SAD and MSE of every way to refine, forced, on the same pictures, with
the trimaps that came with them, or the band of `balanced`. "large": SAD on pictures of 12
megapixels whose alpha is known; with --whole also that of the whole picture, by torch, minutes
each. What is measured replaces that part of results/parts.json; docs/images/context.png is drawn of
"context".
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
from charts import BLUE, GREEN, INK, ORANGE, RED, Line, Panel, draw_charts
from large import KINDS, PORTRAITS, Case
from refining import StepwiseWhole

import matte
from matte.arrays import UNKNOWN, Alpha, Image, Trimap
from matte.configs.settings import RuntimeSettings
from matte.datasets.layouts import list_set
from matte.files import write_file
from matte.imaging.resizing import resize
from matte.media.encoding import encode
from matte.media.pictures import read_alpha, read_image, read_trimap
from matte.metrics.mattes import mad, mse, sad
from matte.pipeline.networks import open_network
from matte.refiner.detail import detail_cells
from matte.refiner.gca import NO_BORDER, Gca
from matte.refiner.parts import MAX_SHRINK, MIN_COPIED_SIDE, Copy, Plan, cheapest_plan, shrink
from matte.refiner.tiles import Tiling
from matte.runtime.machine import describe_machine
from matte.runtime.session import Session
from matte.stages import Refiner

RESULTS = Path(__file__).parent / "results" / "parts.json"
PLOT = Path(__file__).parents[1] / "docs" / "images" / "context.png"
LOWRES = "matting_gt/alphamatting_lowres"
TRIMAPS = ("trimap1", "trimap2")
SIDES, CONTEXTS = (96, 160, 256, 320, 512), (4, 8, 16, 32, 64)
COLOURS = (ORANGE, BLUE, GREEN, RED, INK)
LEAST = 32  # pixels of a tile that are not context
WAYS = ("whole", "tiles", "copy and tiles", "auto")
MEGAPIXELS, COPY = 12, 1024
Precision = Literal["auto", "fp32", "bf16"]
Row = dict[str, Any]
Choose = Callable[[Image, Trimap], Plan]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture with its trimap and its true alpha."""

    image: Image
    trimap: Trimap
    truth: Alpha

    @property
    def band(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Where alpha is asked for."""
        return np.asarray(self.trimap == UNKNOWN)


class Forced(Gca):
    """A refiner that goes about every picture as it is told."""

    def __init__(self, session: Session, choose: Choose) -> None:
        super().__init__(session, NO_BORDER)
        self._choose = choose

    def _plan(self, image: Image, trimap: Trimap, _room: object = None) -> Plan:
        return self._choose(image, trimap)


def forced(way: str) -> Choose:
    """The plan of that way, for pictures that are large enough for it."""

    def choose(image: Image, trimap: Trimap) -> Plan:
        best = cheapest_plan(image, trimap)
        tiling = best.tiling or Tiling()
        height, width = trimap.shape
        if way == "auto":
            return best
        if way == "whole" or min(height, width) < tiling.side:
            return Plan()
        if way == "tiles" or max(height, width) <= MIN_COPIED_SIDE:
            return Plan(tiling)
        scale = max(MIN_COPIED_SIDE, max(height, width) / MAX_SHRINK) / max(height, width)
        less = shrink(image, trimap, round(height * scale), round(width * scale))
        return Plan(
            tiling, best.copy or Copy(*less, cheapest_plan(*less), detail_cells(image, trimap))
        )

    return choose


def sets(data: Path, pictures: int) -> dict[str, list[Example]]:
    """Pictures with the trimaps that came with them, and portraits with the band of `balanced`."""
    found: dict[str, list[Example]] = {}
    for name in TRIMAPS:
        entries = list_set(data / LOWRES, "alphamatting").entries
        found[name] = [
            Example(
                read_image(e.picture),
                read_trimap(data / LOWRES / name / f"{e.picture.stem}.png"),
                read_alpha(e.truth),
            )
            for e in _some(entries, pictures)
            if e.truth
        ]
    line = matte.load("balanced", refiner="smooth", fallback="none")
    found["portraits"] = []
    for entry in _some(list_set(data / PORTRAITS, "alphas").entries, pictures):
        image = read_image(entry.picture)
        trimap = line(image).trimap
        if trimap is not None and entry.truth and (trimap == UNKNOWN).any():
            found["portraits"].append(Example(image, trimap, read_alpha(entry.truth)))
    return found


def _some(entries: Sequence[Any], count: int) -> list[Any]:
    """So many of them, from everywhere."""
    numbers = np.linspace(0, len(entries) - 1, min(count, len(entries)))
    return [entries[round(number)] for number in numbers]


def by_context(session: Session, examples: dict[str, list[Example]]) -> list[Row]:
    """How far tiles are from the whole picture, and how much the network sees."""
    whole = Forced(session, lambda _image, _trimap: Plan())
    rows: list[Row] = []
    for name, every in examples.items():
        fitting = [e for e in every if min(e.trimap.shape) >= max(SIDES)]
        expected = [whole.refine(e.image, e.trimap).alpha for e in fitting]
        for side in SIDES:
            for context in (c for c in CONTEXTS if side - 2 * c >= LEAST):
                tiling = Tiling(side, context)
                refiner = Forced(session, lambda _image, _trimap, t=tiling: Plan(t))  # type: ignore[misc]  # bound now
                apart, seen = [], []
                for example, other in zip(fitting, expected, strict=True):
                    refined = refiner.refine(example.image, example.trimap)
                    apart.append(mad(refined.alpha, other, example.band))
                    seen.append(refined.report["tiles"] * side**2 / example.trimap.size)
                row: Row = {"set": name, "pictures": len(fitting), "side": side, "context": context}
                row["mad"] = float(f"{statistics.mean(apart):.4g}")
                row["seen"] = round(statistics.mean(seen), 3)
                print(row, flush=True)
                rows.append(row)
    return rows


def by_way(session: Session, examples: dict[str, list[Example]]) -> list[Row]:
    """Errors of every way, and how far it is from the whole picture's."""
    rows = []
    for name, every in examples.items():
        expected: list[Alpha] = []
        for way in WAYS:
            refiner = Forced(session, forced(way))
            found = [refiner.refine(e.image, e.trimap) for e in every]
            alphas = [refined.alpha for refined in found]
            expected = expected or alphas
            row: Row = {"set": name, "pictures": len(every), "way": way}
            for told, measure, against in (
                ("sad", sad, [e.truth for e in every]),
                ("mse", mse, [e.truth for e in every]),
                ("from_whole", mad, expected),
            ):
                each = [
                    measure(alpha, other, e.band)
                    for alpha, other, e in zip(alphas, against, every, strict=True)
                ]
                row[told] = float(f"{statistics.mean(each):.4g}")
            taken = [refined.report["way"] for refined in found]
            row["taken"] = {each: taken.count(each) for each in sorted(set(taken))}
            print(row, flush=True)
            rows.append(row)
    return rows


def of_large(session: Session, data: Path, megapixels: float, cases: int, whole: bool) -> list[Row]:
    """SAD of large pictures whose alpha is known."""
    refiners: dict[str, Refiner] = {"whole": StepwiseWhole()} if whole else {}
    refiners |= {"auto": Gca(session, NO_BORDER), "tiles": Gca(session, NO_BORDER, 160)}
    ways: dict[str, Callable[[Image, Trimap], Alpha]] = {
        name: lambda image, trimap, refiner=refiner: refiner.refine(image, trimap).alpha  # type: ignore[misc]  # bound now
        for name, refiner in refiners.items()
    }
    copy = Gca(session, NO_BORDER, "off")

    def by_copy(image: Image, trimap: Trimap) -> Alpha:
        height, width = trimap.shape
        scale = COPY / max(height, width)
        small = shrink(image, trimap, round(height * scale), round(width * scale))
        alpha = copy.refine(*small).alpha
        known = (trimap > UNKNOWN).astype(np.float32)
        return Alpha(np.where(trimap == UNKNOWN, resize(alpha, height, width), known))

    ways[f"copy of {COPY} pixels"] = by_copy
    rows = []
    for make in KINDS.values():
        for number in range(cases):
            rows.append(_compared(make(data, number, megapixels), ways))
            print(rows[-1], flush=True)
    return rows


def _compared(case: Case, ways: dict[str, Callable[[Image, Trimap], Alpha]]) -> Row:
    band = case.trimap == UNKNOWN
    row: Row = {"case": case.name, "unknown": round(float(band.mean()), 4)}
    whole: Alpha | None = None
    for way, refine in ways.items():
        start = time.perf_counter()
        alpha = refine(case.image, case.trimap)
        told = {"seconds": round(time.perf_counter() - start, 2)}
        told["sad"] = round(sad(alpha, case.truth, band), 3)
        if way == "whole":
            whole = alpha
        elif whole is not None:
            told["from_whole"] = round(mad(alpha, whole, band), 5)
        row[way] = told
    return row


def draw_context(part: Row) -> Image:
    """How far tiles are from the whole picture and what they cost, all sets together; RGB."""
    panels = []
    titles = {
        "mad": ("How far alpha is from that of the whole picture", "mean |difference| in the band"),
        "seen": ("What the network sees", "pixels for each of the picture's"),
    }
    for key, (title, unit) in titles.items():
        lines = []
        for side, colour in zip(SIDES, COLOURS, strict=True):
            points = []
            for context in CONTEXTS:
                of = [r for r in part["rows"] if (r["side"], r["context"]) == (side, context)]
                weight = sum(r["pictures"] for r in of)
                if weight:
                    points.append((context, sum(r[key] * r["pictures"] for r in of) / weight))
            lines.append(Line(f"tiles of {side} pixels", points, colour))
        panels.append(Panel(title, "pixels of context at each border", unit, lines, CONTEXTS))
    every: dict[str, int] = {row["set"]: row["pictures"] for row in part["rows"]}
    about = ", ".join(f"{name}: {count} pictures" for name, count in every.items())
    return draw_charts("Refinement in tiles", f"{about}; {part['date']}", panels)


def main() -> None:
    """Measures, prints, writes, draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    names = ("context", "ways", "large")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--pictures", type=int, default=13, help="of each set")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--megapixels", type=float, default=MEGAPIXELS)
    parser.add_argument("--cases", type=int, default=3, help="of each kind of large picture")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--plot", type=Path, default=PLOT)
    parser.add_argument("--plot-only", action="store_true")
    given = parser.parse_args()
    report: Row = json.loads(given.json.read_text()) if given.json.is_file() else {}
    if not given.plot_only:
        if given.data is None:
            parser.error("DATA is missing")
        session = open_network(
            "refiner", "gca-slim", RuntimeSettings(precision=given.precision)
        ).session
        small = set(given.only) & {"context", "ways"}
        examples = sets(given.data, given.pictures) if small else {}
        for name in given.only:
            if name == "large":
                rows = of_large(session, given.data, given.megapixels, given.cases, given.whole)
            else:
                rows = (by_context if name == "context" else by_way)(session, examples)
            about = {"date": date.today().isoformat(), "machine": describe_machine()}
            report[name] = {**about, "run on": str(session.execution), "rows": rows}
            text = json.dumps(report, indent=1) + "\n"
            write_file(given.json, text.encode(), overwrite=True)
    if "context" in report:
        plot = encode(draw_context(report["context"]), ".png")
        write_file(given.plot, plot, overwrite=True)


if __name__ == "__main__":
    main()
