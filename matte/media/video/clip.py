"""Video files read as a stream of frames."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matte.arrays import Image
from matte.errors import PictureError
from matte.imaging.orientation import turn_upright
from matte.limits import DEFAULT_MAX_PIXELS, check_pixels
from matte.media.video.colours import FrameDecoder
from matte.media.video.container import REMEDY, main_video_stream, open_container
from matte.media.video.decoding import DecodedPicture, decode_pictures, first_decodable_frame
from matte.media.video.facts import ClipFacts, read_clip_facts
from matte.media.video.gpu_decoding import decode_by_gpu, gpu_decodes_alike
from matte.media.video.hdr import HdrLight, hdr_light, sdr_facts


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame, upright, RGB (H, W, 3): uint8, or uint16 where there are more than 8 bits.

    `pts` and `duration`, until the next frame, are in the clip's time base.
    """

    pts: int
    duration: int
    pixels: Image


@dataclass(frozen=True, slots=True, eq=False)
class BrokenFrame:
    """A damaged frame: its time, what is wrong, and what the decoder made up of it, if anything.

    It has the size and the place that the whole frame would have.
    """

    pts: int
    duration: int
    fault: str
    pixels: Image | None = None


class Clip:
    """A video file. It is opened anew for every pass, so passes don't hinder each other."""

    def __init__(
        self,
        facts: ClipFacts,
        tone_mapped_from: HdrLight | None = None,
        gpu: int | None = None,
    ) -> None:
        """`tone_mapped_from` is the light of the file's samples, where frames come as SDR.

        `gpu` is the number of the one that decodes them; None: the processor does.
        """
        self.facts = facts
        self.gpu = gpu
        self._tone_mapped_from = tone_mapped_from

    @property
    def light(self) -> HdrLight | None:
        """What the frames' values are as light; None if they are SDR's."""
        return hdr_light(self.facts.colours)

    def tone_mapped(self) -> "Clip":
        """Return the same clip with frames of 8 bits in SDR; a clip in SDR itself."""
        if self.light is None:
            return self
        return Clip(sdr_facts(self.facts), self.light, self.gpu)

    def decoded_on_gpu(self, gpu: int) -> "Clip":
        """Return the same clip decoded by this GPU; the clip itself if that can't do it as well."""
        if not gpu_decodes_alike(self.path, self.facts.index, gpu):
            return self
        return Clip(self.facts, self._tone_mapped_from, gpu)

    @property
    def path(self) -> Path:
        """The file's path."""
        return self.facts.path

    def seconds(self, pts: int) -> Fraction:
        """Return the seconds from the first frame to a time `pts` in the clip's time base."""
        return (pts - self.facts.start) * self.facts.time_base

    def frames(self, start: float = 0, end: float | None = None) -> Generator[Frame | BrokenFrame]:
        """Yield the frames shown from `start` to before `end`: seconds after the first frame.

        They come one by one, in order; only a handful is held at a time.
        """
        facts, decoder = self.facts, FrameDecoder()
        first = facts.start + math.ceil(Fraction(start) / facts.time_base)
        last = None if end is None else facts.start + math.ceil(Fraction(end) / facts.time_base)
        # Without a next one: as long as frames are on average.
        step = max(1, round(1 / (facts.rate * facts.time_base)))
        since = first if start > 0 else None
        if self.gpu is None:
            pictures = decode_pictures(facts.path, facts.index, since)
        else:
            pictures = decode_by_gpu(facts.path, facts.index, since, self.gpu)
        held: DecodedPicture | None = None
        for picture in pictures:
            if held is not None:
                # Times that go back give no length.
                until = picture.pts - held.pts
                yield self._upright_frame(held, until if until >= 0 else step, decoder)
                held = None
            if last is not None and picture.pts >= last:
                return
            if start <= 0 or picture.pts >= first:
                held = picture
        if held is not None:
            shown = held.frame.duration if held.frame is not None else 0
            yield self._upright_frame(held, shown or step, decoder)

    def _upright_frame(
        self, picture: DecodedPicture, duration: int, decoder: FrameDecoder
    ) -> Frame | BrokenFrame:
        """Return the picture as an upright frame; as a broken one if it is damaged."""
        if picture.frame is None:
            return BrokenFrame(picture.pts, duration, picture.fault)
        pixels = Image(turn_upright(decoder.decode_rgb(picture.frame), self.facts.orientation))
        if self._tone_mapped_from is not None:
            pixels = self._tone_mapped_from.to_sdr(pixels)
        size = self.facts.height, self.facts.width
        if pixels.shape[:2] != size:
            fault = f"{pixels.shape[1]}×{pixels.shape[0]} pixels, not {size[1]}×{size[0]}"
            return BrokenFrame(picture.pts, duration, fault)
        if picture.fault:
            return BrokenFrame(picture.pts, duration, picture.fault, pixels)
        return Frame(picture.pts, duration, pixels)


def open_clip(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> Clip:
    """Return the clip in this file; raise PictureError unless a frame can be decoded."""
    with open_container(path) as container:
        stream = main_video_stream(container, path)
        if stream.codec_context is None:
            raise PictureError(f"{path} has pictures of an unknown kind", REMEDY)
        check_pixels(str(path), stream.width, stream.height, max_pixels)
        first, start = first_decodable_frame(path, container, stream)
        return Clip(read_clip_facts(path, container, stream, first, start))
