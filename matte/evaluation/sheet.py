"""The sheet of an evaluation's worst cases: pictures, truths, results and differences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import UNKNOWN, Alpha, Image, Mask
from matte.errors import printable
from matte.evaluation.pairs import MaskCase, MatteCase
from matte.imaging.regions import bounding_box
from matte.imaging.thumbnails import RgbPixels, grey_to_rgb, thumbnail, to_8_bits
from matte.metrics import mattes as metric
from matte.metrics.masks import subject_iou

MAX_CASES = 8  # on a sheet
CELL_SIDE = 320  # pixels: the longer side of a picture on the sheet
MIN_COLUMN_WIDTH = 240  # pixels: the legend's
GAP, LINE_HEIGHT = 8, 22  # pixels
PAPER, INK = (246, 246, 246), (30, 30, 30)
TOO_MUCH_COLOUR, TOO_LITTLE_COLOUR = (255, 140, 0), (0, 150, 255)  # orange, blue
MARGIN_PIXELS = 24  # that are shown around the region that is measured


@dataclass(frozen=True, slots=True, eq=False)
class CasePanels:
    """One case on the sheet: a line about it, and small RGB pictures by their titles."""

    caption: str
    pictures: dict[str, RgbPixels]


class WorstCases:
    """Collects the few cases of the largest error, and makes pictures of no others."""

    def __init__(self) -> None:
        self._worst: list[tuple[float, CasePanels]] = []

    def offer(self, error: float, make_panels: Callable[[], CasePanels]) -> None:
        """Add the case that `make_panels` shows if it is among the worst so far."""
        if len(self._worst) == MAX_CASES and error <= self._worst[-1][0]:
            return
        self._worst.append((error, make_panels()))
        self._worst.sort(key=lambda item: -item[0])
        del self._worst[MAX_CASES:]

    def ranked(self) -> tuple[CasePanels, ...]:
        """Return the collected cases, the worst first."""
        return tuple(panels for _, panels in self._worst)


def mask_panels(mask: Mask, case: MaskCase) -> CasePanels:
    """Return picture, true mask, mask and difference of a segmenter's case."""
    counted = case.truth != UNKNOWN
    too_much = np.where(counted, mask.astype(np.float32) - case.truth, 0) / 255
    return CasePanels(
        f"{case.name}: IoU {subject_iou(mask, case.truth):.3f}",
        {
            "picture": _cell(to_8_bits(case.image)),
            "truth": _cell(grey_to_rgb(case.truth)),
            "found": _cell(grey_to_rgb(mask)),
            "difference": _cell(_colour_error(too_much)),
        },
    )


def alpha_panels(alpha: Alpha, case: MatteCase) -> CasePanels:
    """Return picture, true alpha, trimap if there is one, alpha and difference of a matter's case.

    They show the region that is measured, and a margin around it.
    """
    region = case.region
    box = bounding_box(region, MARGIN_PIXELS)
    assert box is not None, "a case has something to be measured"
    error = alpha - case.truth
    sad, mad = metric.sad(alpha, case.truth, region), metric.mad(alpha, case.truth, region)
    pictures = {
        "picture": to_8_bits(case.image)[box],
        "truth": grey_to_rgb(case.truth)[box],
        **({"trimap": grey_to_rgb(case.trimap)[box]} if case.trimap is not None else {}),
        "found": grey_to_rgb(alpha)[box],
        "difference": _colour_error(error)[box],
    }
    small = {title: _cell(picture) for title, picture in pictures.items()}
    return CasePanels(f"{case.name}: SAD {sad:.2f} k, MAD {mad:.4f}", small)


def draw_sheet(rows: Sequence[CasePanels], title: str) -> Image:
    """Return the cases below each other under a title, as one RGB picture."""
    titles = list(rows[0].pictures)
    cell = max(MIN_COLUMN_WIDTH, *(p.shape[1] for row in rows for p in row.pictures.values()))
    width = GAP + len(titles) * (cell + GAP)
    heights = [LINE_HEIGHT + GAP + max(p.shape[0] for p in row.pictures.values()) for row in rows]
    sheet = Pillow.new("RGB", (width, 2 * LINE_HEIGHT + GAP + sum(heights) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    draw.text((GAP, 4), printable(title), INK, font)
    for column, name in enumerate(titles):
        x = GAP + column * (cell + GAP)
        draw.text((x, LINE_HEIGHT + 4), printable(name), INK, font)
        if name == "difference":
            draw.text((x + 90, LINE_HEIGHT + 4), "too much", _darken(TOO_MUCH_COLOUR), font)
            draw.text((x + 170, LINE_HEIGHT + 4), "too little", _darken(TOO_LITTLE_COLOUR), font)
    y = 2 * LINE_HEIGHT + GAP
    for row, height in zip(rows, heights, strict=True):
        draw.text((GAP, y), printable(row.caption), INK, font)
        for column, picture in enumerate(row.pictures.values()):
            place = (GAP + column * (cell + GAP), y + LINE_HEIGHT)
            sheet.paste(Pillow.fromarray(picture), place)
        y += height
    return Image(np.asarray(sheet))


def _darken(colour: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the colour at three quarters of its brightness, to be read on paper."""
    return tuple(3 * c // 4 for c in colour)


def _cell(picture: RgbPixels) -> RgbPixels:
    """Return the picture at the size that it has on the sheet."""
    return thumbnail(picture, CELL_SIDE)


def _colour_error(error: NDArray[np.floating[Any]]) -> RgbPixels:
    """Return a picture of the error: orange above 0, blue below, black where there is none."""
    strength = np.sqrt(np.abs(error))[:, :, None]  # so that small errors are seen
    colours = np.where(
        error[:, :, None] > 0, np.array(TOO_MUCH_COLOUR), np.array(TOO_LITTLE_COLOUR)
    )
    return np.asarray(np.rint(strength * colours), np.uint8)
