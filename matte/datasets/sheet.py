"""A sheet of samples: each picture, its truth, and the subject alone."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.datasets.reading import shrink_to
from matte.datasets.samples import Sample
from matte.errors import printable

TILE = 200
LABEL = 20  # height of the line with the name
GAP = 12  # between samples
COLUMNS = 3
GREY, INK = (48, 48, 48), (235, 235, 235)
MAGENTA = (255, 0, 255)  # behind the subject: hardly any subject has it, so rims and holes show


def draw_sheet(samples: Sequence[Sample]) -> NDArray[np.uint8]:
    """Draw the samples as (H, W, 3) RGB, three in a row, each with its name.

    Of a sample, whose long side should be at most 200, three tiles are drawn: the picture, the
    truth, and the picture weighted by it on magenta. A background has only the first.
    """
    rows = max(1, -(-len(samples) // COLUMNS))
    wide, high = 3 * TILE + GAP, TILE + LABEL + GAP
    sheet = Pillow.new("RGB", (COLUMNS * wide + GAP, rows * high + GAP), GREY)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for at, sample in enumerate(samples):
        x, y = GAP + at % COLUMNS * wide, GAP + at // COLUMNS * high
        pen.text((x, y + 2), _caption(sample, pen, font), INK, font)
        for tile in _sample_tiles(sample):
            picture = Pillow.fromarray(tile)
            picture.thumbnail((TILE, TILE))
            sheet.paste(picture, (x, y + LABEL))
            x += picture.width
    return np.array(sheet)


def _sample_tiles(sample: Sample) -> list[NDArray[np.uint8]]:
    """Return the picture, its truth, and the subject alone on magenta."""
    if sample.kind == "background":
        return [sample.picture]
    weight = sample.truth[:, :, None] / np.float32(255)
    alone = weight * sample.picture + (1 - weight) * np.array(MAGENTA, np.float32)
    truth = np.repeat(sample.truth[:, :, None], 3, axis=2)
    return [sample.picture, truth, np.rint(alone).astype(np.uint8)]


def _caption(
    sample: Sample, pen: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont
) -> str:
    """Return the name and the kind; of a long name the end, which differs."""
    name = whole = printable(sample.name)
    while pen.textlength(f"…{name} ({sample.kind})", font) > 3 * TILE - GAP and len(name) > 1:
        name = name[1:]
    return f"{name if name == whole else '…' + name} ({sample.kind})"


def shrink_sample(sample: Sample) -> Sample:
    """Return the sample at the size of a sheet's tile."""
    method = cv2.INTER_NEAREST_EXACT if sample.kind == "mask" else cv2.INTER_AREA
    picture = shrink_to(sample.picture, TILE, cv2.INTER_AREA)
    return Sample(sample.name, sample.kind, picture, shrink_to(sample.truth, TILE, method))
