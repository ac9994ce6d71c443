"""Short clips as pictures that move: GIF and animated WebP."""

from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import OutputError
from matte.files import check_outputs
from matte.imaging.bit_depth import convert_depth
from matte.limits import MAX_ANIMATION_BYTES
from matte.media.sources import error_text
from matte.media.video.facts import ClipFacts
from matte.media.video.unfinished import FrameWriter, UnfinishedOutput

ANIMATIONS = (".gif", ".webp")
MIN_GIF_FRAME_MS = 20  # programs show shorter frames for longer than a GIF says


class AnimationWriter(FrameWriter):
    """Writes a GIF or an animated WebP, endless, for short clips: all frames are held to the end.

    WebP keeps colours, soft alpha and times in milliseconds. GIF has 256 colours and alpha of yes
    or no, and counts hundredths of a second: frames that would be shorter than two of them, which
    programs slow down, are left out, and those before stay for as long.
    """

    def __init__(self, path: Path, like: ClipFacts, *, overwrite: bool = False) -> None:
        check_outputs([(path, ANIMATIONS)], [like.path], overwrite)
        self.path = path
        self._time_base = like.time_base
        self._is_gif = path.suffix.lower() == ".gif"
        self._frames: list[Pillow.Image] = []
        self._times: list[int] = []
        self._end = Fraction(0)
        self._bytes = 0
        self._unfinished = UnfinishedOutput(path, [like.path], overwrite)

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Add a frame shown at `pts` of the clip's time base for `duration`."""
        time = self._milliseconds(pts * self._time_base)
        self._end = (pts + duration) * self._time_base
        if self._is_gif and self._times and time - self._times[-1] < MIN_GIF_FRAME_MS:
            return
        picture = Pillow.fromarray(convert_depth(pixels, np.dtype(np.uint8)))
        self._bytes += picture.width * picture.height * (1 if self._is_gif else 4)
        if self._bytes > MAX_ANIMATION_BYTES:
            raise OutputError(
                f"the clip is too long for {self.path.suffix}", "write .webm, or set --end"
            )
        self._frames.append(_to_palette(picture) if self._is_gif else picture)
        self._times.append(time)

    def _salvage(self) -> None:
        """Write the frames so far."""
        self._end_file()

    def _count_frames(self) -> int:
        """Return how many frames the file shows, up to where it is cut off."""
        frames = 0
        ends = suppress(OSError, ValueError, EOFError, SyntaxError)
        with ends, Pillow.open(self._unfinished.temporary) as animation:
            while True:
                animation.seek(frames)
                animation.load()
                frames += 1
        return frames

    def _end_file(self) -> None:
        """Write all frames; raise OutputError if there are none, or if Pillow can't."""
        if not self._frames:
            raise OutputError(f"no frames for {self.path}", "choose another range")
        min_ms = MIN_GIF_FRAME_MS if self._is_gif else 1
        end = max(self._milliseconds(self._end), self._times[-1] + min_ms)
        times = [*self._times, end]
        durations = [max(min_ms, b - a) for a, b in pairwise(times)]
        options: dict[str, Any] = {"format": "GIF", "disposal": 2, "optimize": False}
        if not self._is_gif:
            options = {"format": "WEBP", "quality": 90, "method": 2, "exact": True}
        try:
            self._frames[0].save(
                self._unfinished.temporary,
                save_all=True,
                append_images=self._frames[1:],
                duration=durations,
                loop=0,
                **options,
            )
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            cause = f"can't write {self.path} ({error_text(error)})"
            raise OutputError(cause, "choose another place") from error

    def _milliseconds(self, seconds: Fraction) -> int:
        """Return a time in milliseconds; GIF counts hundredths of a second."""
        return round(seconds * 100) * 10 if self._is_gif else round(seconds * 1000)


def _to_palette(picture: Pillow.Image) -> Pillow.Image:
    """Return the picture with 256 colours, the last of them transparent if it has alpha."""
    if picture.mode != "RGBA":
        return picture if picture.mode == "L" else picture.quantize(256)
    alpha = picture.getchannel("A").point(lambda a: 255 * (a < 128))
    colours = picture.convert("RGB").quantize(255)
    colours.paste(255, mask=alpha)
    colours.info["transparency"] = 255
    return colours
