"""A sweep as a labelled sheet of pictures: a row for each setting."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import UNKNOWN, Alpha, Image
from matte.compositing.composer import Composer
from matte.compositing.foreground import estimate_foreground
from matte.imaging.box_filter import box_mean
from matte.imaging.regions import bounding_box
from matte.imaging.resizing import resize
from matte.media.pictures import Photo
from matte.media.profiles import convert_to_profile
from matte.sweeps.run import Sweep
from matte.sweeps.scores import SettingScore

CELL = 320  # longest side of a picture on the sheet
NARROWEST = 150  # pixels of a column, for its title
COLUMNS = ("image", "mask", "trimap", "alpha", "composite", "where alphas differ")
GAP, LINE, HEAD = 10, 26, 40  # pixels between pictures, and of lines of text
MARGIN = 0.04  # of the long side: what is shown around the bands
CLOSE = 5  # the close-up's side goes so many times into the longer side that is shown
CHECK = 16  # pixels of a square of the pattern behind cut-outs
PAPER, INK, FAINT = (250, 250, 250), (25, 25, 25), (105, 105, 105)
GOOD, POOR, FRAME = (0, 122, 61), (178, 74, 0), (255, 208, 0)

Pixels = NDArray[np.uint8]
Window = tuple[slice, slice]
ComposerFor = Callable[[Photo], Composer]  # whose ground is in the photo's colour profile


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What is to be seen of one setting: its score and its small pictures, RGB."""

    score: SettingScore
    best: bool
    cells: tuple[Pixels, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """What is to be seen of one picture."""

    title: str
    remark: str
    rows: tuple[Row, ...]


def composites(sweep: Sweep, composer_for: ComposerFor) -> Iterator[NDArray[Any]]:
    """Yield for each setting the subject on its new ground, in the photo's size and depth."""
    composer = composer_for(sweep.photo)
    for alpha in sweep.alphas:
        foreground = estimate_foreground(sweep.photo.pixels, alpha)
        yield composer.compose(sweep.photo.pixels, foreground, alpha)


def show(sweep: Sweep, name: str, pictures: Iterable[NDArray[Any]]) -> Section:
    """The sweep's part of a sheet; `pictures` are its composites."""
    profile = sweep.photo.profile
    image = convert_to_profile(sweep.photo.pixels, profile, b"")
    kept = _kept(sweep)
    window = _most_different(sweep, kept)
    small = _framed(_small(_eight_bits(image)[kept]), kept, window)
    mask = _small(_grey(sweep.mask)[kept])
    rows = []
    for place, (score, composite) in enumerate(zip(sweep.scores, pictures, strict=True)):
        shown = _eight_bits(
            convert_to_profile(Image(_opaque(_eight_bits(composite))), profile, b"")
        )
        cells = (
            small,
            mask,
            _small(_grey(sweep.trimaps[place])[kept]),
            _small(_grey(sweep.alphas[place])[kept]),
            _small(shown[kept]),
            _enlarged(shown[window], max(small.shape[:2])),
        )
        rows.append(Row(score, place == sweep.choice.best, cells))
    best = "" if sweep.choice.best is None else f"best: {sweep.scores[sweep.choice.best].name}: "
    height, width = image.shape[:2]
    return Section(f"{name}, {width} x {height}", best + sweep.choice.reason, tuple(rows))


def draw_sheet(sections: Sequence[Section], headline: str = "") -> Image:
    """The pictures' parts below each other, under a line about all of them, as one RGB picture."""
    widths = [_widths(section) for section in sections]
    heights = [_height(section) for section in sections]
    width = max(max(sum(w + GAP for w in each) + GAP for each in widths), 3 * CELL)
    y = HEAD if headline else 0
    sheet = Pillow.new("RGB", (width, y + sum(heights) + GAP), PAPER)
    ImageDraw.Draw(sheet).text((GAP, 10), headline, GOOD, ImageFont.load_default(20))
    for section, columns, height in zip(sections, widths, heights, strict=True):
        _draw(sheet, section, columns, y)
        y += height
    return Image(np.asarray(sheet))


def _draw(sheet: Pillow.Image, section: Section, columns: Sequence[int], y: int) -> None:
    pen = ImageDraw.Draw(sheet)
    large, plain = ImageFont.load_default(20), ImageFont.load_default(15)
    pen.text((GAP, y + 10), section.title, INK, large)
    after = GAP + pen.textlength(section.title, large) + 2 * GAP
    pen.text((after, y + 14), section.remark, FAINT, plain)
    y += HEAD
    places = [GAP + sum(columns[:n]) + n * GAP for n in range(len(columns))]
    for x, name in zip(places, COLUMNS, strict=True):
        pen.text((x, y + 2), name, FAINT, plain)
    y += LINE
    for row in section.rows:
        _caption(pen, row, y)
        for x, cell in zip(places, row.cells, strict=True):
            sheet.paste(Pillow.fromarray(cell), (x, y + LINE))
        y += _row_height(row)


def _caption(pen: ImageDraw.ImageDraw, row: Row, y: int) -> None:
    """The setting, its numbers, and what is to be said of it."""
    strong, plain = ImageFont.load_default(17), ImageFont.load_default(15)
    x = float(GAP)
    if row.best:
        length = pen.textlength("best", plain)
        pen.rounded_rectangle((x, y + 2, x + length + 14, y + 22), 5, GOOD)
        pen.text((x + 7, y + 3), "best", PAPER, plain)
        x += length + 14 + GAP
    pen.text((x, y + 2), row.score.name, GOOD if row.best else INK, strong)
    x += pen.textlength(row.score.name, strong) + 2 * GAP
    numbers = _numbers(row.score)
    pen.text((x, y + 4), numbers, FAINT, plain)
    x += pen.textlength(numbers, plain) + 2 * GAP
    pen.text((x, y + 4), row.score.remark, POOR, plain)


def _numbers(score: SettingScore) -> str:
    told = [f"{score.unknown:.1%} unknown"]
    if score.agreement is not None:
        told.append(f"agreement {score.agreement:.3f}")
    if score.instability is not None:
        told.append(f"instability {score.instability:.3f}")
    return ",  ".join([*told, f"{score.ms:.0f} ms"])


def _widths(section: Section) -> list[int]:
    return [
        max(NARROWEST, *(row.cells[column].shape[1] for row in section.rows))
        for column in range(len(COLUMNS))
    ]


def _height(section: Section) -> int:
    return HEAD + LINE + sum(_row_height(row) for row in section.rows) + GAP


def _row_height(row: Row) -> int:
    return LINE + max(len(cell) for cell in row.cells) + GAP


def _kept(sweep: Sweep) -> Window:
    """The bands and something around; without any the whole picture."""
    height, width = sweep.mask.shape
    region = np.zeros((height, width), bool)
    for trimap in sweep.trimaps:
        region |= trimap == UNKNOWN
    box = bounding_box(region | (sweep.mask > 0), round(MARGIN * max(height, width)))
    if box is None or not sweep.subject:
        return slice(0, height), slice(0, width)
    return box


def _most_different(sweep: Sweep, kept: Window) -> Window:
    """The square in which the alphas differ most, or, where they don't, are softest."""
    tops = [s.stop - s.start for s in kept]
    side = max(1, min(max(tops) // CLOSE, *tops))
    alphas = [a[kept] for a, s in zip(sweep.alphas, sweep.scores, strict=True) if not s.doubt]
    unlike = np.zeros(tops, np.float32)
    if alphas:
        mean = np.mean(alphas, axis=0)
        unlike = np.sqrt(sum((alpha - mean) ** 2 for alpha in alphas))
        if not unlike.any():
            unlike = mean * (1 - mean)
    density = box_mean(unlike, side // 2)
    middle = np.unravel_index(int(density.argmax()), density.shape)
    starts = [
        int(min(max(0, at - side // 2), top - side)) for at, top in zip(middle, tops, strict=True)
    ]
    rows, columns = (
        slice(s.start + start, s.start + start + side)
        for s, start in zip(kept, starts, strict=True)
    )
    return rows, columns


def _framed(picture: Pixels, kept: Window, window: Window) -> Pixels:
    """The small picture with a frame around what the close-up shows."""
    scale = [picture.shape[n] / (kept[n].stop - kept[n].start) for n in range(2)]
    top, left = (round((window[n].start - kept[n].start) * scale[n]) for n in range(2))
    bottom, right = (round((window[n].stop - kept[n].start) * scale[n]) - 1 for n in range(2))
    framed = np.ascontiguousarray(picture)
    cv2.rectangle(framed, (left, top), (right, bottom), (0, 0, 0), 4)
    cv2.rectangle(framed, (left, top), (right, bottom), FRAME, 2)
    return framed


def _small(picture: Pixels) -> Pixels:
    scale = min(1.0, CELL / max(picture.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return resize(np.ascontiguousarray(picture), height, width)


def _enlarged(picture: Pixels, side: int) -> Pixels:
    """The square picture with that side; its pixels can be seen."""
    whole = np.ascontiguousarray(picture)
    if side <= whole.shape[0]:
        return resize(whole, side, side)
    grown = cv2.resize(whole, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.uint8)


def _eight_bits(values: NDArray[Any]) -> Pixels:
    return (values >> 8).astype(np.uint8) if values.dtype == np.uint16 else values


def _opaque(picture: Pixels) -> Pixels:
    """RGB; of a cut-out what is seen of it on a pattern of squares."""
    if picture.shape[2] == 3:
        return picture
    height, width = picture.shape[:2]
    y, x = np.ogrid[:height, :width]
    squares = np.where((y // CHECK + x // CHECK) % 2, np.float32(255), np.float32(204))
    weight = picture[:, :, 3:] / np.float32(255)
    mixed = weight * picture[:, :, :3] + (1 - weight) * squares[:, :, None]
    return np.asarray(np.rint(mixed), np.uint8)


def _grey(values: NDArray[Any] | Alpha) -> Pixels:
    """RGB of a mask, a trimap or an alpha."""
    full = values if values.dtype == np.uint8 else np.rint(values * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_GRAY2RGB), np.uint8)
