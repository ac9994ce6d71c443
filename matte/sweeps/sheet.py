"""The sheet that `matte sweep-trimap` writes: a row of small pictures for each setting."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import UNKNOWN, Image
from matte.compositing.composer import Composer
from matte.compositing.foreground import estimate_foreground
from matte.errors import printable
from matte.imaging.box_filter import box_mean
from matte.imaging.regions import bounding_box
from matte.imaging.resizing import resize
from matte.imaging.thumbnails import RgbPixels, grey_to_rgb, thumbnail, to_8_bits
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.sweeps.run import Sweep
from matte.sweeps.scores import SettingScore

CELL_SIDE = 320  # pixels: the longer side of a picture on the sheet
MIN_COLUMN_WIDTH = 150  # pixels: its title's
COLUMNS = ("image", "mask", "trimap", "alpha", "composite", "where alphas differ")
GAP, LINE_HEIGHT, TITLE_HEIGHT = 10, 26, 40  # pixels
MARGIN_SHARE = 0.04  # of the long side: what is shown around the bands
CLOSE_UP_RATIO = 5  # of the longer side that is shown to the close-up's side
CHECK_SIDE = 16  # pixels: a square of the pattern behind cut-outs
PAPER, INK, FAINT_INK = (250, 250, 250), (25, 25, 25), (105, 105, 105)
BEST_COLOUR, REMARK_COLOUR, FRAME_COLOUR = (0, 122, 61), (178, 74, 0), (255, 208, 0)

Box = tuple[slice, slice]  # rows and columns
ComposerFor = Callable[[Photo], Composer]  # whose ground is in the photo's colour profile


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """One setting on the sheet: its score, and a small RGB picture for each of COLUMNS."""

    score: SettingScore
    best: bool
    cells: tuple[RgbPixels, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SweepSection:
    """One picture's part of the sheet: a title, the choice in words, a row for each setting."""

    title: str
    remark: str
    rows: tuple[SheetRow, ...]


def compose_settings(sweep: Sweep, composer_for: ComposerFor) -> Iterator[NDArray[Any]]:
    """Yield each setting's composite on the new background, in the photo's size and depth."""
    composer = composer_for(sweep.photo)
    for alpha in sweep.alphas:
        foreground = estimate_foreground(sweep.photo.pixels, alpha)
        yield composer.compose(sweep.photo.pixels, foreground, alpha)


def make_section(sweep: Sweep, name: str, composites: Iterable[NDArray[Any]]) -> SweepSection:
    """Return the part of a sheet that shows this sweep; `composites` has one for each setting."""
    profile = sweep.photo.profile
    image = convert_to_profile(sweep.photo.pixels, profile, b"")
    box = _region_box(sweep)
    close_up = _close_up_box(sweep, box)
    small = _draw_frame(thumbnail(to_8_bits(image)[box], CELL_SIDE), box, close_up)
    mask = thumbnail(grey_to_rgb(sweep.mask)[box], CELL_SIDE)
    rows = []
    for place, (score, composite) in enumerate(zip(sweep.scores, composites, strict=True)):
        opaque = Image(_put_on_checks(to_8_bits(composite)))
        shown = to_8_bits(convert_to_profile(opaque, profile, b""))
        cells = (
            small,
            mask,
            thumbnail(grey_to_rgb(sweep.trimaps[place])[box], CELL_SIDE),
            thumbnail(grey_to_rgb(sweep.alphas[place])[box], CELL_SIDE),
            thumbnail(shown[box], CELL_SIDE),
            _enlarge_square(shown[close_up], max(small.shape[:2])),
        )
        rows.append(SheetRow(score, place == sweep.choice.best, cells))
    best = "" if sweep.choice.best is None else f"best: {sweep.scores[sweep.choice.best].name}: "
    height, width = image.shape[:2]
    title = f"{printable(name)}, {width} x {height}"
    return SweepSection(title, printable(best + sweep.choice.reason), tuple(rows))


def draw_sheet(sections: Sequence[SweepSection], headline: str = "") -> Image:
    """Return the sections below each other, under a line about all of them, as one RGB picture."""
    widths = [_column_widths(section) for section in sections]
    heights = [_section_height(section) for section in sections]
    width = max(max(sum(w + GAP for w in each) + GAP for each in widths), 3 * CELL_SIDE)
    y = TITLE_HEIGHT if headline else 0
    sheet = Pillow.new("RGB", (width, y + sum(heights) + GAP), PAPER)
    ImageDraw.Draw(sheet).text((GAP, 10), headline, BEST_COLOUR, ImageFont.load_default(20))
    for section, columns, height in zip(sections, widths, heights, strict=True):
        _draw_section(sheet, section, columns, y)
        y += height
    return Image(np.asarray(sheet))


def _draw_section(
    sheet: Pillow.Image, section: SweepSection, columns: Sequence[int], y: int
) -> None:
    """Draw a section on the sheet, with its upper edge at `y` and columns of these widths."""
    pen = ImageDraw.Draw(sheet)
    large, plain = ImageFont.load_default(20), ImageFont.load_default(15)
    pen.text((GAP, y + 10), section.title, INK, large)
    after = GAP + pen.textlength(section.title, large) + 2 * GAP
    pen.text((after, y + 14), section.remark, FAINT_INK, plain)
    y += TITLE_HEIGHT
    places = [GAP + sum(columns[:n]) + n * GAP for n in range(len(columns))]
    for x, name in zip(places, COLUMNS, strict=True):
        pen.text((x, y + 2), name, FAINT_INK, plain)
    y += LINE_HEIGHT
    for row in section.rows:
        _draw_caption(pen, row, y)
        for x, cell in zip(places, row.cells, strict=True):
            sheet.paste(Pillow.fromarray(cell), (x, y + LINE_HEIGHT))
        y += _row_height(row)


def _draw_caption(pen: ImageDraw.ImageDraw, row: SheetRow, y: int) -> None:
    """Draw a row's setting, its numbers, and the objection to it, if there is one."""
    strong, plain = ImageFont.load_default(17), ImageFont.load_default(15)
    x = float(GAP)
    if row.best:
        length = pen.textlength("best", plain)
        pen.rounded_rectangle((x, y + 2, x + length + 14, y + 22), 5, BEST_COLOUR)
        pen.text((x + 7, y + 3), "best", PAPER, plain)
        x += length + 14 + GAP
    pen.text((x, y + 2), row.score.name, BEST_COLOUR if row.best else INK, strong)
    x += pen.textlength(row.score.name, strong) + 2 * GAP
    numbers = _format_numbers(row.score)
    pen.text((x, y + 4), numbers, FAINT_INK, plain)
    x += pen.textlength(numbers, plain) + 2 * GAP
    pen.text((x, y + 4), printable(row.score.remark), REMARK_COLOUR, plain)


def _format_numbers(score: SettingScore) -> str:
    """Return the score's numbers as one line."""
    numbers = [f"{score.unknown:.1%} unknown"]
    if score.error is not None:
        numbers.append(f"error {score.error:.2f}")
    if score.instability is not None:
        numbers.append(f"instability {score.instability:.3f}")
    return ",  ".join([*numbers, f"{score.ms:.0f} ms"])


def _column_widths(section: SweepSection) -> list[int]:
    """Return each column's width in pixels."""
    return [
        max(MIN_COLUMN_WIDTH, *(row.cells[column].shape[1] for row in section.rows))
        for column in range(len(COLUMNS))
    ]


def _section_height(section: SweepSection) -> int:
    """Return the section's height in pixels, with the gap below it."""
    return TITLE_HEIGHT + LINE_HEIGHT + sum(_row_height(row) for row in section.rows) + GAP


def _row_height(row: SheetRow) -> int:
    """Return the row's height in pixels, with its caption and the gap below it."""
    return LINE_HEIGHT + max(len(cell) for cell in row.cells) + GAP


def _region_box(sweep: Sweep) -> Box:
    """Return the box around subject and bands, with a margin; without a subject, the picture's."""
    height, width = sweep.mask.shape
    region = np.zeros((height, width), bool)
    for trimap in sweep.trimaps:
        region |= trimap == UNKNOWN
    box = bounding_box(region | (sweep.mask > 0), round(MARGIN_SHARE * max(height, width)))
    if box is None or not sweep.subject:
        return slice(0, height), slice(0, width)
    return box


def _close_up_box(sweep: Sweep, box: Box) -> Box:
    """Return the square within the box in which the alphas differ most.

    If they don't differ at all, it is the one in which they are softest.
    """
    lengths = [s.stop - s.start for s in box]
    side = max(1, min(max(lengths) // CLOSE_UP_RATIO, *lengths))
    alphas = [a[box] for a, s in zip(sweep.alphas, sweep.scores, strict=True) if not s.doubt]
    difference = np.zeros(lengths, np.float32)
    if alphas:
        mean = np.mean(alphas, axis=0)
        difference = np.sqrt(sum((alpha - mean) ** 2 for alpha in alphas))
        if not difference.any():
            difference = mean * (1 - mean)
    density = box_mean(difference, side // 2)
    middle = np.unravel_index(int(density.argmax()), density.shape)
    starts = [
        int(min(max(0, at - side // 2), length - side))
        for at, length in zip(middle, lengths, strict=True)
    ]
    rows, columns = (
        slice(s.start + start, s.start + start + side) for s, start in zip(box, starts, strict=True)
    )
    return rows, columns


def _draw_frame(picture: RgbPixels, box: Box, close_up: Box) -> RgbPixels:
    """Return the small picture of the box with a frame around what the close-up shows."""
    scale = [picture.shape[n] / (box[n].stop - box[n].start) for n in range(2)]
    top, left = (round((close_up[n].start - box[n].start) * scale[n]) for n in range(2))
    bottom, right = (round((close_up[n].stop - box[n].start) * scale[n]) - 1 for n in range(2))
    framed = np.ascontiguousarray(picture)
    cv2.rectangle(framed, (left, top), (right, bottom), (0, 0, 0), 4)
    cv2.rectangle(framed, (left, top), (right, bottom), FRAME_COLOUR, 2)
    return framed


def _enlarge_square(picture: RgbPixels, side: int) -> RgbPixels:
    """Return a square picture resized to `side` × `side`."""
    whole = np.ascontiguousarray(picture)
    if side <= whole.shape[0]:
        return resize(whole, side, side)
    grown = cv2.resize(whole, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.uint8)


def _put_on_checks(picture: RgbPixels) -> RgbPixels:
    """Return an RGB picture as it is, and a cut-out (RGBA) on a pattern of grey squares."""
    if picture.shape[2] == 3:
        return picture
    height, width = picture.shape[:2]
    y, x = np.ogrid[:height, :width]
    squares = np.where((y // CHECK_SIDE + x // CHECK_SIDE) % 2, np.float32(255), np.float32(204))
    weight = picture[:, :, 3:] / np.float32(255)
    blended = weight * picture[:, :, :3] + (1 - weight) * squares[:, :, None]
    return np.asarray(np.rint(blended), np.uint8)
