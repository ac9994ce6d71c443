"""The worst cases, as a labelled sheet of pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import UNKNOWN, Alpha, Image, Mask
from matte.evaluation.pairs import MaskCase, MatteCase
from matte.imaging.regions import bounding_box
from matte.imaging.resizing import resize
from matte.metrics import mattes as metric
from matte.metrics.masks import subject_iou

MOST = 8  # cases on a sheet
CELL = 320  # longest side of a picture on it
NARROWEST = 240  # pixels of a column: the legend's width
GAP, LINE = 8, 22  # pixels between pictures, and of a line of text
PAPER, INK = (246, 246, 246), (30, 30, 30)
TOO_MUCH, TOO_LITTLE = (255, 140, 0), (0, 150, 255)  # of the difference: orange, blue
MARGIN = 24  # known pixels that are shown around the unknown ones

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """What is to be seen of one case: a line about it, and small RGB pictures by their titles."""

    caption: str
    pictures: dict[str, Pixels]


class Worst:
    """Keeps the few cases of the largest error, and makes pictures of no others."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, Panels]] = []

    def offer(self, error: float, show: Callable[[], Panels]) -> None:
        """Keeps what `show` gives if it is among the worst so far."""
        if len(self._kept) == MOST and error <= self._kept[-1][0]:
            return
        self._kept.append((error, show()))
        self._kept.sort(key=lambda item: -item[0])
        del self._kept[MOST:]

    def first(self) -> tuple[Panels, ...]:
        """What was kept, the worst first."""
        return tuple(panels for _, panels in self._kept)


def show_mask(found: Mask, case: MaskCase) -> Panels:
    """Picture, true mask, found mask, difference."""
    counted = case.truth != UNKNOWN
    too_much = np.where(counted, found.astype(np.float32) - case.truth, 0) / 255
    return Panels(
        f"{case.name}: IoU {subject_iou(found, case.truth):.3f}",
        {
            "picture": _small(_eight_bits(case.image)),
            "truth": _small(_grey(case.truth)),
            "found": _small(_grey(found)),
            "difference": _small(_signed(too_much)),
        },
    )


def show_alpha(found: Alpha, case: MatteCase) -> Panels:
    """Picture, true alpha, trimap if there is one, found alpha, difference: around the region."""
    region = case.region
    box = bounding_box(region, MARGIN)
    assert box is not None, "a case has something to be measured"
    error = found - case.truth
    sad, mad = metric.sad(found, case.truth, region), metric.mad(found, case.truth, region)
    pictures = {
        "picture": _eight_bits(case.image)[box],
        "truth": _grey(case.truth)[box],
        **({"trimap": _grey(case.trimap)[box]} if case.trimap is not None else {}),
        "found": _grey(found)[box],
        "difference": _signed(error)[box],
    }
    small = {title: _small(picture) for title, picture in pictures.items()}
    return Panels(f"{case.name}: SAD {sad:.2f} k, MAD {mad:.4f}", small)


def draw_sheet(rows: Sequence[Panels], title: str) -> Image:
    """The cases below each other under a title, as one RGB picture."""
    titles = list(rows[0].pictures)
    cell = max(NARROWEST, *(p.shape[1] for row in rows for p in row.pictures.values()))
    width = GAP + len(titles) * (cell + GAP)
    heights = [LINE + GAP + max(p.shape[0] for p in row.pictures.values()) for row in rows]
    sheet = Pillow.new("RGB", (width, 2 * LINE + GAP + sum(heights) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    draw.text((GAP, 4), title, INK, font)
    for column, name in enumerate(titles):
        x = GAP + column * (cell + GAP)
        draw.text((x, LINE + 4), name, INK, font)
        if name == "difference":
            draw.text((x + 90, LINE + 4), "too much", _dark(TOO_MUCH), font)
            draw.text((x + 170, LINE + 4), "too little", _dark(TOO_LITTLE), font)
    y = 2 * LINE + GAP
    for row, height in zip(rows, heights, strict=True):
        draw.text((GAP, y), row.caption, INK, font)
        for column, picture in enumerate(row.pictures.values()):
            place = (GAP + column * (cell + GAP), y + LINE)
            sheet.paste(Pillow.fromarray(picture), place)
        y += height
    return Image(np.asarray(sheet))


def _dark(colour: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(3 * c // 4 for c in colour)


def _small(picture: Pixels) -> Pixels:
    scale = min(1.0, CELL / max(picture.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return resize(np.ascontiguousarray(picture), height, width)


def _eight_bits(image: Image) -> Pixels:
    if image.dtype == np.uint16:
        return (image >> 8).astype(np.uint8)
    return np.asarray(image, np.uint8)


def _grey(values: NDArray[Any]) -> Pixels:
    """RGB of a mask, a trimap or an alpha."""
    full = values if values.dtype == np.uint8 else np.rint(values * 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_GRAY2RGB), np.uint8)


def _signed(error: NDArray[np.floating[Any]]) -> Pixels:
    """Orange where the error is above 0, blue where it is below, black where there is none."""
    strength = np.sqrt(np.abs(error))[:, :, None]  # so that small errors are seen
    colours = np.where(error[:, :, None] > 0, np.array(TOO_MUCH), np.array(TOO_LITTLE))
    return np.asarray(np.rint(strength * colours), np.uint8)
