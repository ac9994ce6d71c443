"""The plot of what scaling.py measured."""

from collections.abc import Callable
from typing import Any

from charts import BLUE, GREEN, GREY, INK, ORANGE, PINK, RED, Colour, Line, Panel, draw_charts

from matte.arrays import Image
from matte.configs.amounts import parse_bytes

Row = dict[str, Any]
Pick = Callable[[Row], Row]
MAIN, OTHER = "portrait", "strands"
# Name, part of the report, the process's row in it, colour.
WAYS: tuple[tuple[str, str, Pick, Colour], ...] = (
    ("matte image", "sizes", lambda row: row, BLUE),
    ("refinement alone, --tile auto", "sizes", lambda row: row["auto"], GREEN),
    ("whole picture, --tile off", "sizes", lambda row: row["off"], RED),
    ("whole picture, torch in steps", "whole", lambda row: row["torch"], PINK),
    ("PyMatting closed-form", "sizes", lambda row: row["closed-form"], ORANGE),
)


def draw_scaling(report: Row) -> Image:
    """Time and peak by size, time by the share of unknown, peaks under limits; RGB."""
    panels = []
    if "sizes" in report:
        panels += [
            _by_size(report, "Time of whole processes", "seconds", "seconds"),
            _by_size(report, "Peak of memory", "MiB", "peak_mib"),
        ]
    if "unknown" in report:
        panels.append(_by_share(report["unknown"]))
    if "memory" in report:
        panels.append(_by_limit(report["memory"]["rows"]))
    part = next(iter(report.values()))
    machine = part["machine"]
    about = f"{machine['processor']}, {machine['threads']} threads; {part['date']}"
    return draw_charts("Large pictures", about, panels)


def _by_size(report: Row, title: str, unit: str, key: str) -> Panel:
    lines = []
    for name, part, pick, colour in WAYS:
        rows = report.get(part, {}).get("rows", [])
        for kind in (MAIN, OTHER):
            of_kind = [row for row in rows if row["kind"] == kind]
            if not of_kind or (kind == OTHER and pick(of_kind[0]) is not of_kind[0]):
                continue
            points = [(row["megapixels"], pick(row)[key]) for row in of_kind if key in pick(row)]
            shown = f"{name}, {_kind(kind)}" if name == WAYS[0][0] else name
            lines.append(Line(shown, points, colour, kind == OTHER, _end(of_kind, pick)))
    ticks = sorted({row["megapixels"] for row in report["sizes"]["rows"]})
    return Panel(title, "megapixels", unit, lines, ticks)


def _kind(kind: str) -> str:
    return "a portrait enlarged" if kind == MAIN else "hairs drawn at full size"


def _end(rows: list[Row], pick: Pick) -> str:
    """What stopped a way, and where."""
    for row in rows:
        if error := pick(row).get("error"):
            refused = "refused" if "there are" in error else "given up"
            return f"{refused} at {row['megapixels']:g} MP"
    return ""


def _by_share(part: Row) -> Panel:
    lines = []
    for kind, dashed in ((MAIN, False), (OTHER, True)):
        rows = [row for row in part["rows"] if row["kind"] == kind and "seconds" in row]
        if not rows:
            continue
        shares = [100 * row["unknown"] for row in rows]
        for what, colour in (("whole command", BLUE), ("refine", GREEN)):
            values = [
                row["seconds"] if what == "whole command" else row["refine_ms"] / 1000
                for row in rows
            ]
            (r2,) = [
                fit["r2"] for fit in part["fits"] if (fit["kind"], fit["what"]) == (kind, what)
            ] or [None]
            name = "matte image" if what == "whole command" else "its refinement"
            told = f"{name}, {_kind(kind)}" + (f", a line: R^2 = {r2:.3f}" if r2 else "")
            points = sorted(zip(shares, values, strict=True))
            lines.append(Line(told, points, colour, dashed))
    highest = max(x for line in lines for x, _ in line.points)
    mega = part["rows"][0]["megapixels"]
    title = f"Time by what is unknown, {mega:g} megapixels"
    ticks = [tick for tick in (0, 5, 10, 15, 20, 25, 30, 35) if tick < highest + 5]
    return Panel(title, "% of the picture unknown", "seconds", lines, ticks, (False, False))


def _by_limit(rows: list[Row]) -> Panel:
    limits = sorted({parse_bytes(row["limit"]) / 2**20 for row in rows})
    lines = [Line("the limit", [(limit, limit) for limit in limits], GREY, dashed=True)]
    of_kind = [row for row in rows if row["kind"] == rows[-1]["kind"]]
    sizes = list(dict.fromkeys(row["megapixels"] for row in of_kind))
    for mega, colour in zip(sizes, (BLUE, GREEN, RED, PINK, INK), strict=False):
        own = [row for row in of_kind if row["megapixels"] == mega]
        points = [
            (parse_bytes(row["limit"]) / 2**20, row["peak_mib"]) for row in own if "used" in row
        ]
        refused = [row["limit"] for row in own if "error" in row]
        told = f"{mega:g} megapixels" + (f", refused with {', '.join(refused)}" if refused else "")
        lines.append(Line(told, points, colour))
    title = f"Peaks under --max-memory, {_kind(of_kind[0]['kind'])}"
    return Panel(title, "MiB allowed", "MiB taken", lines, limits)
