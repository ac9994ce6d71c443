"""A sheet of a clip's doubtful moments: one small picture of each, with its time."""

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from matte.arrays import Alpha, Image
from matte.clips.following.record import DoubtfulMoment
from matte.configs.times import format_time
from matte.imaging.thumbnails import RgbPixels, thumbnail, to_8_bits

CELL_SIDE, COLUMNS = 320, 4  # the longer side of a picture in pixels; pictures in a row
MAX_MOMENTS = 48  # on a sheet: the least sure ones
GAP, LINE_HEIGHT = 10, 24  # pixels
PAPER, INK = (250, 250, 250), (25, 25, 25)
LIGHT_OF_OTHERS = 0.3  # of what is not the subject, in the pictures


class ReviewSheet:
    """Collects the least sure frame of each doubtful moment."""

    def __init__(self) -> None:
        self._pictures: list[tuple[DoubtfulMoment, float, float, RgbPixels]] = []

    def offer(
        self, moment: DoubtfulMoment, sureness: float, seconds: float, image: Image, alpha: Alpha
    ) -> None:
        """Show a frame for its moment if it is the least sure one so far."""
        known = next((n for n, row in enumerate(self._pictures) if row[0] is moment), None)
        if known is not None and sureness >= self._pictures[known][1]:
            return
        light = LIGHT_OF_OTHERS + (1 - LIGHT_OF_OTHERS) * alpha[:, :, None]
        shown = (to_8_bits(image) * light).astype(np.uint8)
        row = (moment, sureness, seconds, thumbnail(shown, CELL_SIDE))
        if known is not None:
            self._pictures[known] = row
            return
        self._pictures.append(row)
        if len(self._pictures) > MAX_MOMENTS:
            self._pictures.remove(max(self._pictures, key=lambda each: each[1]))

    def draw(self) -> Image:
        """Return the sheet as one RGB picture; a line says so if nothing was doubtful."""
        pen_font = ImageFont.load_default(15)
        if not self._pictures:
            sheet = Pillow.new("RGB", (CELL_SIDE + 2 * GAP, LINE_HEIGHT + 2 * GAP), PAPER)
            ImageDraw.Draw(sheet).text((GAP, GAP), "no moment is doubtful", INK, pen_font)
            return Image(np.asarray(sheet))
        wide = max(each[3].shape[1] for each in self._pictures) + GAP
        high = max(each[3].shape[0] for each in self._pictures) + LINE_HEIGHT + GAP
        columns = min(COLUMNS, len(self._pictures))
        rows = -(-len(self._pictures) // columns)
        sheet = Pillow.new("RGB", (GAP + columns * wide, GAP + rows * high), PAPER)
        pen = ImageDraw.Draw(sheet)
        for number, (moment, sureness, seconds, picture) in enumerate(self._pictures):
            x, y = GAP + number % columns * wide, GAP + number // columns * high
            caption = f"{format_time(seconds)}  {moment.reason}, {sureness:.0%} sure"
            pen.text((x, y), caption, INK, pen_font)
            sheet.paste(Pillow.fromarray(picture), (x, y + LINE_HEIGHT))
        return Image(np.asarray(sheet))
