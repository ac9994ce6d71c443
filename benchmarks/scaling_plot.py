"""The plot of scaling.py's results."""

from collections.abc import Callable
from typing import Any

from harness import Row

from matte.arrays import Image
from matte.configs.amounts import parse_bytes
from matte.evaluation.chart_pen import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED, Colour
from matte.evaluation.charts import ChartLine, ChartPanel, draw_charts

MAIN, OTHER = "portrait", "strands"
KIND_NAMES = {MAIN: "a portrait enlarged", OTHER: "hairs drawn at full size"}
# Name, part of the report, the process's row in it, colour.
METHODS: tuple[tuple[str, str, Callable[[Row], Row], Colour], ...] = (
    ("matte image", "sizes", lambda row: row, BLUE),
    ("refinement alone, --tile auto", "sizes", lambda row: row["auto"], GREEN),
    ("whole picture, --tile off", "sizes", lambda row: row["off"], RED),
    ("whole picture, torch in steps", "whole", lambda row: row["torch"], PINK),
    ("PyMatting closed-form", "sizes", lambda row: row["closed-form"], ORANGE),
)


def draw_scaling(report: Row) -> Image:
    """Draw time and peak by size, time by the share of unknown, peaks under limits; RGB."""
    panels = []
    if "sizes" in report:
        panels += [
            size_panel(report, "Time of whole processes", "seconds", "seconds"),
            size_panel(report, "Peak of memory", "MiB", "peak_mib"),
        ]
    if "unknown" in report:
        panels.append(share_panel(report["unknown"]))
    if "memory" in report:
        panels.append(limit_panel(report["memory"]["rows"]))
    part = next(iter(report.values()))
    machine = part["machine"]
    about = f"{machine['processor']}, {machine['threads']} threads; {part['date']}"
    return draw_charts("Large pictures", about, panels)


def size_panel(report: Row, title: str, unit: str, key: str) -> ChartPanel:
    """Return the panel of one number against megapixels."""
    lines = []
    for name, part, pick, colour in METHODS:
        rows = report.get(part, {}).get("rows", [])
        for kind in (MAIN, OTHER):
            of_kind = [row for row in rows if row["kind"] == kind]
            if not of_kind or (kind == OTHER and pick(of_kind[0]) is not of_kind[0]):
                continue
            points = [(row["megapixels"], pick(row)[key]) for row in of_kind if key in pick(row)]
            label = f"{name}, {KIND_NAMES[kind]}" if name == METHODS[0][0] else name
            stop = stop_reason([(row["megapixels"], pick(row)) for row in of_kind])
            lines.append(ChartLine(label, points, colour, kind == OTHER, stop))
    ticks = sorted({row["megapixels"] for row in report["sizes"]["rows"]})
    return ChartPanel(title, "megapixels", unit, lines, ticks)


def stop_reason(rows: list[tuple[float, Row]]) -> str:
    """Return what stopped a method, and at which size; empty if nothing did."""
    for megapixels, row in rows:
        if error := row.get("error"):
            what = "refused" if "there are" in error else "given up"
            return f"{what} at {megapixels:g} MP"
    return ""


def share_panel(part: Row) -> ChartPanel:
    """Return the panel of time against the share of unknown."""
    lines = []
    r2 = {(fit["kind"], fit["what"]): fit["r2"] for fit in part["fits"]}
    names: tuple[tuple[str, str, Colour, Callable[[Any], float]], ...] = (
        ("whole command", "matte image", BLUE, lambda row: float(row["seconds"])),
        ("refine", "its refinement", GREEN, lambda row: row["refine_ms"] / 1000),
    )
    for kind in (MAIN, OTHER):
        rows = [row for row in part["rows"] if row["kind"] == kind and "seconds" in row]
        for what, name, colour, seconds in names if rows else ():
            label = f"{name}, {KIND_NAMES[kind]}"
            if fit := r2.get((kind, what)):
                label += f", a line: R^2 = {fit:.3f}"
            points = sorted((100 * row["unknown"], seconds(row)) for row in rows)
            lines.append(ChartLine(label, points, colour, kind == OTHER))
    highest = max(x for line in lines for x, _ in line.points)
    ticks = [tick for tick in (0, 5, 10, 15, 20, 25, 30, 35) if tick < highest + 5]
    title = f"Time by what is unknown, {part['rows'][0]['megapixels']:g} megapixels"
    return ChartPanel(title, "% of the picture unknown", "seconds", lines, ticks, (False, False))


def limit_panel(rows: list[Row]) -> ChartPanel:
    """Return the panel of peaks against --max-memory."""
    limits = sorted({parse_bytes(row["limit"]) / 2**20 for row in rows})
    lines = [ChartLine("the limit", [(limit, limit) for limit in limits], GREY, dashed=True)]
    kind = rows[-1]["kind"]
    sizes = dict.fromkeys(row["megapixels"] for row in rows if row["kind"] == kind)
    for megapixels, colour in zip(sizes, (BLUE, GREEN, RED, PINK, INK), strict=False):
        own = [row for row in rows if (row["kind"], row["megapixels"]) == (kind, megapixels)]
        points = [(parse_bytes(r["limit"]) / 2**20, r["peak_mib"]) for r in own if "used" in r]
        refused = [row["limit"] for row in own if "error" in row]
        label = f"{megapixels:g} megapixels"
        label += f", refused with {', '.join(refused)}" if refused else ""
        lines.append(ChartLine(label, points, colour))
    title = f"Peaks under --max-memory, {KIND_NAMES[kind]}"
    return ChartPanel(title, "MiB allowed", "MiB taken", lines, limits)
