"""What refining in parts costs in quality, and what it saves.

    python benchmarks/parts.py DATA [--only context ways large] [--pictures 13] [--whole]
    python benchmarks/parts.py DATA --only-plot

"context": how far alpha in the band is from that of the whole picture, by the side of tiles and by
the context around them, and how many pixels the network sees. "ways": SAD and MSE of every way
to refine, forced, on the same pictures, with the trimaps that came with them, or the band of
`balanced`. "large": SAD on large.py's pictures of 12 megapixels, whose alpha is known; with --whole
also that of the whole picture, by torch, minutes each. Each part replaces that part of
results/parts.json; docs/images/context.png is drawn of "context".
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
import numpy as np
from harness import Row
from large import KINDS, LargePicture, WholePictureRefiner
from scenes import ALPHAMATTING, PORTRAITS, entries_of

import matte
from matte.arrays import UNKNOWN, Alpha, BoolArray, Image, Trimap
from matte.configs.settings import RuntimeSettings
from matte.datasets.samples import Entry
from matte.evaluation.chart_pen import BLUE, GREEN, INK, ORANGE, RED
from matte.evaluation.charts import ChartLine, ChartPanel, draw_charts
from matte.files import write_file
from matte.imaging.resizing import resize
from matte.media.encoding import encode
from matte.media.pictures import read_alpha, read_image, read_trimap
from matte.metrics.mattes import mad, mse, sad
from matte.pipeline.networks import open_network
from matte.refiner.detail import detail_cells
from matte.refiner.gca import NO_BORDER, Gca
from matte.refiner.parts import (
    MAX_SHRINK,
    MIN_COPIED_SIDE,
    Plan,
    SmallerCopy,
    cheapest_plan,
    shrink,
)
from matte.refiner.tiles import Tiling
from matte.runtime.session import Session
from matte.stages import Refiner

TRIMAPS = ("trimap1", "trimap2")
SIDES, CONTEXTS = (96, 160, 256, 320, 512), (4, 8, 16, 32, 64)  # pixels
COLOURS = (ORANGE, BLUE, GREEN, RED, INK)
MIN_TILE_CENTRE = 32  # pixels of a tile that are not context
METHODS = ("whole", "tiles", "copy and tiles", "auto")
COPY_SIDE = 1024  # pixels
PANELS = {
    "mad": ("How far alpha is from that of the whole picture", "mean |difference| in the band"),
    "seen": ("What the network sees", "pixels for each of the picture's"),
}
Planner = Callable[[Image, Trimap], Plan]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture with its trimap and its true alpha."""

    image: Image
    trimap: Trimap
    truth: Alpha

    @property
    def band(self) -> BoolArray:
        """Return where the trimap is unknown."""
        return np.asarray(self.trimap == UNKNOWN)


class PlannedGca(Gca):
    """A refiner that refines every picture by a planner of the benchmark's."""

    def __init__(self, session: Session, planner: Planner) -> None:
        super().__init__(session, NO_BORDER)
        self._planner = planner

    def _plan(self, image: Image, trimap: Trimap, _room: object = None) -> Plan:
        return self._planner(image, trimap)


def main() -> None:
    """Measure, print, write, draw."""
    parser = harness.parser(__doc__, "parts.json")
    names = ("context", "ways", "large")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--pictures", type=int, default=13, help="of each set")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--cases", type=int, default=3, help="of each kind of large picture")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--plot", type=Path, default=harness.IMAGES / "context.png")
    parser.add_argument("--only-plot", action="store_true")
    options = parser.parse_args()
    report: Row = json.loads(options.json.read_text()) if options.json.is_file() else {}
    if not options.only_plot:
        runtime = RuntimeSettings(precision=options.precision)
        session = open_network("refiner", "gca-slim", runtime).session
        is_small = set(options.only) & {"context", "ways"}
        examples = example_sets(options.data, options.pictures) if is_small else {}
        for part in options.only:
            if part == "large":
                pictures = (
                    make(options.data, number, options.megapixels)
                    for make in KINDS.values()
                    for number in range(options.cases)
                )
                refiners = large_refiners(session, options.whole)
                rows = [large_row(picture, refiners) for picture in pictures]
            else:
                rows = (context_rows if part == "context" else method_rows)(session, examples)
            harness.show(rows, part)
            measured = {"run on": str(session.execution), "rows": rows}
            report = harness.write_part(options.json, part, measured)
    if "context" in report:
        plot = encode(draw_context(report["context"]), ".png")
        write_file(options.plot, plot, overwrite=True)


def planner_of(method: str) -> Planner:
    """Return the planner that forces a method on pictures that are large enough for it."""

    def plan(image: Image, trimap: Trimap) -> Plan:
        best = cheapest_plan(image, trimap)
        tiling = best.tiling or Tiling()
        height, width = trimap.shape
        if method == "auto":
            return best
        if method == "whole" or min(height, width) < tiling.side:
            return Plan()
        if method == "tiles" or max(height, width) <= MIN_COPIED_SIDE:
            return Plan(tiling)
        scale = max(MIN_COPIED_SIDE, max(height, width) / MAX_SHRINK) / max(height, width)
        small = shrink(image, trimap, round(height * scale), round(width * scale))
        copy = SmallerCopy(*small, cheapest_plan(*small), detail_cells(image, trimap))
        return Plan(tiling, best.copy or copy)

    return plan


def example_sets(data: Path, count: int) -> dict[str, list[Example]]:
    """Return pictures with the trimaps that came with them, and portraits with `balanced`'s."""
    found: dict[str, list[Example]] = {}
    for name in TRIMAPS:
        found[name] = []
        for entry in spread_out(entries_of(data, ALPHAMATTING), count):
            assert entry.truth is not None
            trimap = read_trimap(data / ALPHAMATTING[0] / name / f"{entry.picture.stem}.png")
            image, truth = read_image(entry.picture), read_alpha(entry.truth)
            found[name].append(Example(image, trimap, truth))
    pipeline = matte.load("balanced", refiner="smooth", fallback="none")
    found["portraits"] = []
    for entry in spread_out(entries_of(data, PORTRAITS), count):
        image = read_image(entry.picture)
        own = pipeline(image).trimap
        if own is not None and entry.truth and (own == UNKNOWN).any():
            found["portraits"].append(Example(image, own, read_alpha(entry.truth)))
    return found


def spread_out(entries: Sequence[Entry], count: int) -> list[Entry]:
    """Return so many of the entries, at even distances."""
    numbers = np.linspace(0, len(entries) - 1, min(count, len(entries)))
    return [entries[round(number)] for number in numbers]


def context_rows(session: Session, sets: dict[str, list[Example]]) -> list[Row]:
    """Return how far tiles are from the whole picture, and how much the network sees."""
    whole = PlannedGca(session, lambda _image, _trimap: Plan())
    rows: list[Row] = []
    for name, examples in sets.items():
        fitting = [e for e in examples if min(e.trimap.shape) >= max(SIDES)]
        if not fitting:
            continue
        expected = [whole.refine(e.image, e.trimap).alpha for e in fitting]
        for side in SIDES:
            for context in (c for c in CONTEXTS if side - 2 * c >= MIN_TILE_CENTRE):
                plan = Plan(Tiling(side, context))
                refiner = PlannedGca(session, lambda _image, _trimap, plan=plan: plan)  # type: ignore[misc]  # bound now
                each = []
                for example, alpha in zip(fitting, expected, strict=True):
                    refined = refiner.refine(example.image, example.trimap)
                    seen = refined.report["tiles"] * side**2 / example.trimap.size
                    each.append({"mad": mad(refined.alpha, alpha, example.band), "seen": seen})
                row: Row = {"set": name, "pictures": len(fitting), "side": side}
                rows.append({**row, "context": context, **harness.means(each, 5)})
    return rows


def method_rows(session: Session, sets: dict[str, list[Example]]) -> list[Row]:
    """Return errors of every method, and how far it is from the whole picture's alpha."""
    rows: list[Row] = []
    for name, examples in sets.items():
        expected: list[Alpha] = []
        for method in METHODS:
            refiner = PlannedGca(session, planner_of(method))
            found = [refiner.refine(e.image, e.trimap) for e in examples]
            expected = expected or [refined.alpha for refined in found]
            each = [
                {
                    "sad": sad(refined.alpha, example.truth, example.band),
                    "mse": mse(refined.alpha, example.truth, example.band),
                    "from_whole": mad(refined.alpha, alpha, example.band),
                }
                for refined, alpha, example in zip(found, expected, examples, strict=True)
            ]
            row: Row = {"set": name, "pictures": len(examples), "way": method}
            used = [refined.report["way"] for refined in found]
            counts = {way: used.count(way) for way in sorted(set(used))}
            rows.append({**row, **harness.means(each, 5), "taken": counts})
    return rows


def large_refiners(session: Session, whole: bool) -> dict[str, Callable[[Image, Trimap], Alpha]]:
    """Return the ways to refine a large picture, by name."""
    refiners: dict[str, Refiner] = {"whole": WholePictureRefiner()} if whole else {}
    refiners |= {"auto": Gca(session, NO_BORDER), "tiles": Gca(session, NO_BORDER, 160)}
    copy = Gca(session, NO_BORDER, "off")

    def refine_copy(image: Image, trimap: Trimap) -> Alpha:
        height, width = trimap.shape
        scale = COPY_SIDE / max(height, width)
        small = shrink(image, trimap, round(height * scale), round(width * scale))
        known = (trimap > UNKNOWN).astype(np.float32)
        alpha = resize(copy.refine(*small).alpha, height, width)
        return Alpha(np.where(trimap == UNKNOWN, alpha, known))

    return {
        name: lambda image, trimap, refiner=refiner: refiner.refine(image, trimap).alpha
        for name, refiner in refiners.items()
    } | {f"copy of {COPY_SIDE} pixels": refine_copy}


def large_row(picture: LargePicture, refiners: dict[str, Callable[[Image, Trimap], Alpha]]) -> Row:
    """Return the seconds and the SAD of each refiner on a large picture."""
    band = picture.trimap == UNKNOWN
    row: Row = {"case": picture.name, "unknown": round(float(band.mean()), 4)}
    whole: Alpha | None = None
    for name, refine in refiners.items():
        start = time.perf_counter()
        alpha = refine(picture.image, picture.trimap)
        row[name] = {"seconds": round(time.perf_counter() - start, 2)}
        row[name]["sad"] = round(sad(alpha, picture.truth, band), 3)
        if name == "whole":
            whole = alpha
        elif whole is not None:
            row[name]["from_whole"] = round(mad(alpha, whole, band), 5)
    print(row, flush=True)
    return row


def draw_context(part: Row) -> Image:
    """Draw how far tiles are from the whole picture and what they cost, all sets together; RGB."""
    panels = []
    for key, (title, unit) in PANELS.items():
        lines = []
        for side, colour in zip(SIDES, COLOURS, strict=True):
            points = []
            for context in CONTEXTS:
                of = [r for r in part["rows"] if (r["side"], r["context"]) == (side, context)]
                weight = sum(r["pictures"] for r in of)
                if weight:
                    points.append((context, sum(r[key] * r["pictures"] for r in of) / weight))
            lines.append(ChartLine(f"tiles of {side} pixels", points, colour))
        panels.append(ChartPanel(title, "pixels of context at each border", unit, lines, CONTEXTS))
    counts: dict[str, int] = {row["set"]: row["pictures"] for row in part["rows"]}
    about = ", ".join(f"{name}: {count} pictures" for name, count in counts.items())
    return draw_charts("Refinement in tiles", f"{about}; {part['date']}", panels)


if __name__ == "__main__":
    main()
