"""Video files read as a stream of frames."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matte.arrays import Image
from matte.errors import PictureError
from matte.imaging.orientation import turn_upright
from matte.media.opening import MAX_PIXELS, refuse_large
from matte.media.video.colours import Decoded
from matte.media.video.decoding import Picture, first_picture, pictures
from matte.media.video.facts import Facts, facts_of
from matte.media.video.opening import REMEDY, opened, pictures_of


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame, upright, RGB (H, W, 3): uint8, or uint16 where there are more than 8 bits.

    `pts` and `duration`, until the next frame, are in the clip's time base.
    """

    pts: int
    duration: int
    pixels: Image


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """A frame that is damaged: its time, what is wrong, and what the decoder made up, if anything.

    It has the size and the place that the whole frame would have.
    """

    pts: int
    duration: int
    fault: str
    pixels: Image | None = None


class Clip:
    """A video file. It is opened anew for every pass, so passes don't hinder each other."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.facts.path

    def seconds(self, pts: int) -> Fraction:
        """How long after the first frame this time is."""
        return (pts - self.facts.start) * self.facts.time_base

    def frames(self, start: float = 0, end: float | None = None) -> Generator[Frame | Broken]:
        """The frames shown from `start` to before `end`: seconds after the first frame.

        They come one by one, in order; only a handful is held at a time.
        """
        facts, decoded = self.facts, Decoded()
        first = facts.start + math.ceil(Fraction(start) / facts.time_base)
        last = None if end is None else facts.start + math.ceil(Fraction(end) / facts.time_base)
        # Without a next one: as long as frames are on average.
        step = max(1, round(1 / (facts.rate * facts.time_base)))
        found = pictures(facts.path, facts.index, first if start > 0 else None)
        held: Picture | None = None
        for picture in found:
            if held is not None:
                # Times that go back tell no length.
                until = picture.pts - held.pts
                yield self._frame(held, until if until >= 0 else step, decoded)
                held = None
            if last is not None and picture.pts >= last:
                return
            if start <= 0 or picture.pts >= first:
                held = picture
        if held is not None:
            told = held.frame.duration if held.frame is not None else 0
            yield self._frame(held, told or step, decoded)

    def _frame(self, picture: Picture, duration: int, decoded: Decoded) -> Frame | Broken:
        if picture.frame is None:
            return Broken(picture.pts, duration, picture.fault)
        pixels = Image(turn_upright(decoded.rgb(picture.frame), self.facts.orientation))
        size = self.facts.height, self.facts.width
        if pixels.shape[:2] != size:
            fault = f"{pixels.shape[1]}×{pixels.shape[0]} pixels, not {size[1]}×{size[0]}"
            return Broken(picture.pts, duration, fault)
        if picture.fault:
            return Broken(picture.pts, duration, picture.fault, pixels)
        return Frame(picture.pts, duration, pixels)


def open_clip(path: Path, max_pixels: int = MAX_PIXELS) -> Clip:
    """The clip in this file; raises PictureError unless it has a frame that can be decoded."""
    with opened(path) as container:
        stream = pictures_of(container, path)
        if stream.codec_context is None:
            raise PictureError(f"{path} has pictures of an unknown kind", REMEDY)
        refuse_large((stream.width, stream.height), str(path), max_pixels)
        first, start = first_picture(path, container, stream)
        return Clip(facts_of(path, container, stream, first, start))
