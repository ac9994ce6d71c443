"""Draw a benchmark's results as bars."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import Image
from matte.bench.report import MATTE_IMAGE, BenchReport, SizeReport

SHEET_WIDTH = 1600
MARGIN, NAME_WIDTH, NUMBER_WIDTH = 48, 420, 260  # pixels left of the bars, and right of them
BAR_HEIGHT, BAR_GAP = 34, 14
PAPER, INK, FAINT, RULE = (255, 255, 255), (28, 30, 36), (112, 116, 124), (228, 230, 234)
STAGE_COLOURS = {
    "segment": (0, 114, 178),
    "trimap": (230, 159, 0),
    "refine": (0, 158, 115),
    "matte": (0, 158, 115),
    "foreground": (204, 121, 167),
}  # Okabe and Ito's colours: distinct for everybody
OTHER_COLOUR, OUR_COLOUR, THEIR_COLOUR = (150, 154, 160), (213, 94, 0), (176, 180, 186)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a plot: its name, its parts with their colours, and the text behind them."""

    name: str
    parts: Sequence[tuple[float, Colour]]
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars on one scale, under a title and a legend."""

    title: str
    bars: Sequence[Bar]
    legend: Sequence[tuple[str, Colour]] = ()

    @property
    def height(self) -> int:
        """The panel's height in pixels."""
        return 84 + 36 * bool(self.legend) + len(self.bars) * (BAR_HEIGHT + BAR_GAP)


def draw_plot(report: BenchReport) -> Image:
    """Return a report as an RGB picture: panels of stages and of whole processes for each size."""
    panels = [p for m in report.sizes for p in (_line_panel(m), _process_panel(m)) if p is not None]
    machine = report.machine
    about = f"{machine['processor']}, {machine['threads']} threads; preset {report.preset}"
    sheet = Pillow.new("RGB", (SHEET_WIDTH, 150 + sum(panel.height for panel in panels)), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 36), "matte bench", INK, ImageFont.load_default(34))
    pen.text((MARGIN, 84), f"{about}; {report.date}", FAINT, ImageFont.load_default(20))
    y = 130
    for panel in panels:
        _draw_panel(pen, panel, y)
        y += panel.height
    return Image(np.asarray(sheet))


def _line_panel(measured: SizeReport) -> Panel | None:
    """Return a size's panel of stages by candidate; None if no candidate has a time."""
    bars: list[Bar] = []
    legend: dict[str, Colour] = {}
    for warm in measured.warm:
        if warm.total is None or warm.error:
            continue
        parts = [
            (s.median, STAGE_COLOURS.get(name, OTHER_COLOUR)) for name, s in warm.stages.items()
        ]
        legend |= {name: STAGE_COLOURS.get(name, OTHER_COLOUR) for name in warm.stages}
        bars.append(Bar(warm.name, parts, f"{warm.total.median:.0f} ms   {warm.fps:.2f}/s"))
    size = measured.size
    title = f"{size.width} x {size.height}, networks loaded: milliseconds of each stage"
    return Panel(title, bars, list(legend.items())) if bars else None


def _process_panel(measured: SizeReport) -> Panel | None:
    """Return a size's panel of whole processes; None if none was timed."""
    bars = []
    for timed in measured.processes:
        if timed.seconds is None:
            continue
        ratio = measured.ratio(timed, MATTE_IMAGE)
        text = f"{timed.seconds.median:.2f} s" + (f"   {ratio:.2f} x" if ratio else "")
        colour = OUR_COLOUR if timed.name.startswith(MATTE_IMAGE) else THEIR_COLOUR
        name = timed.name + (f" ({timed.note})" if timed.note else "")
        bars.append(Bar(name, [(timed.seconds.median, colour)], text))
    size = measured.size
    title = f"{size.width} x {size.height}, whole processes: seconds; x: compared with matte image"
    return Panel(title, bars) if bars else None


def _draw_panel(pen: ImageDraw.ImageDraw, panel: Panel, y: int) -> None:
    """Draw a panel whose top is at `y` pixels."""
    large, plain = ImageFont.load_default(24), ImageFont.load_default(20)
    pen.line((MARGIN, y + 8, SHEET_WIDTH - MARGIN, y + 8), RULE, 2)
    pen.text((MARGIN, y + 26), panel.title, INK, large)
    y += 72
    if panel.legend:
        x: float = MARGIN + NAME_WIDTH
        for name, colour in panel.legend:
            pen.rounded_rectangle((x, y + 4, x + 18, y + 22), 4, colour)
            pen.text((x + 26, y), name, FAINT, plain)
            x += 26 + pen.textlength(name, plain) + 32
        y += 36
    longest = max(sum(value for value, _ in bar.parts) for bar in panel.bars)
    room = SHEET_WIDTH - 2 * MARGIN - NAME_WIDTH - NUMBER_WIDTH
    for bar in panel.bars:
        name = _shorten_name(pen, bar.name, plain)
        pen.text((MARGIN, y + BAR_HEIGHT // 2), name, INK, plain, anchor="lm")
        start = x = MARGIN + NAME_WIDTH
        for value, colour in bar.parts:
            end = x + room * value / longest
            if end - x >= 1:
                pen.rectangle((x, y, end - 1, y + BAR_HEIGHT - 1), colour)
            x = end
        position = (max(x, start + 2) + 14, y + BAR_HEIGHT // 2)
        pen.text(position, bar.text, INK, plain, anchor="lm")
        y += BAR_HEIGHT + BAR_GAP


def _shorten_name(
    pen: ImageDraw.ImageDraw, name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> str:
    """Return a name, cut to the width that names have in the plot."""
    while pen.textlength(name, font) > NAME_WIDTH - 20:
        name = name[:-2] + "…"
    return name
