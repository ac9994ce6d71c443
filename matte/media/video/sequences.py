"""Clips as pictures: numbered PNG files, and animations for short ones."""

import re
import warnings
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.errors import MatteWarning, OutputError
from matte.files import check_output, check_outputs, make_folder
from matte.imaging.bit_depth import convert_depth
from matte.media.encoding import encode
from matte.media.opening import reason
from matte.media.video.facts import Facts
from matte.media.video.whole import Whole, Writer

NUMBERED = re.compile(r"%0?\d*d")
ANIMATIONS = (".gif", ".webp")
MOST_BYTES = 2**30  # that an animation's frames may take: Pillow wants them all at once
SHORTEST = 20  # milliseconds that programs show a GIF's frame for as it is said


def is_sequence(path: Path) -> bool:
    """Whether the path names numbered pictures: a pattern such as name%05d.png, or a folder."""
    if path.suffix.lower() == ".png":
        return NUMBERED.search(path.name) is not None
    return not path.suffix or path.is_dir()


def first_file(path: Path) -> Path:
    """The first of the numbered pictures that the path names."""
    pattern = _pattern(path)
    return pattern.with_name(_numbered(pattern.name, 1))


def _pattern(path: Path) -> Path:
    return path if path.suffix.lower() == ".png" else path / "%05d.png"


def _numbered(name: str, number: int) -> str:
    return NUMBERED.sub(lambda found: found[0] % number, name, count=1)


class SequenceWriter(Writer):
    """Numbered PNG files, from 1 on: `folder`/00001.png, … or as a pattern says.

    They keep 16 bits and straight alpha, but no times: every frame is one file. The folder is made
    if only itself is missing. They are written into another one beside their place and moved there
    when whole; if the `with` block is left by an exception, that one is kept as `partial`.
    """

    def __init__(self, path: Path, like: Facts, *, overwrite: bool = False) -> None:
        pattern = _pattern(path)
        self.path = path
        self._name, self._folder = pattern.name, pattern.parent
        there = self._folder.is_dir()
        if there:
            check_outputs([(first_file(path), (".png",))], [like.path], True)
        else:
            check_output(self._folder, overwrite=True)
        found = [name for name in self._there() if not overwrite]
        if found:
            raise OutputError(
                f"{self._folder} holds {found[0]}", "choose another place or add --overwrite"
            )
        inside = there and pattern == path
        name = path.with_name(NUMBERED.sub("", path.stem) or "frames")
        self._whole = Whole(name if inside else self._folder, folder=True)
        self._count = 0

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Adds a frame: grey, RGB or RGBA, uint8 or uint16."""
        data = encode(pixels, ".png")
        file = self._whole.temporary / self._named(self._count + 1)
        try:
            file.write_bytes(data)
        except OSError as error:
            with suppress(OSError):
                file.unlink(missing_ok=True)  # a part of a picture
            raise self._failed(error) from error
        self._count += 1

    def _rescued(self) -> bool:
        return self._count > 0

    def _finish(self) -> None:
        if not self._count:
            raise OutputError(f"no frames for {self.path}", "choose another range")

    def _place(self) -> None:
        make_folder(self._folder)
        try:
            new = sorted(self._whole.temporary.iterdir())
            for file in new:
                file.replace(self._folder / file.name)
        except OSError as error:
            raise self._failed(error) from error
        older = set(self._there()) - {file.name for file in new}
        if older:
            text = f"{self._folder} still holds {min(older)}, which is of an earlier run"
            warnings.warn(text, MatteWarning, stacklevel=2)

    def _named(self, number: int) -> str:
        return _numbered(self._name, number)

    def _there(self) -> list[str]:
        """The names in the folder that frames might get."""
        before, after = NUMBERED.split(self._name, maxsplit=1)
        mine = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        try:
            names = [file.name for file in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed(error) from error
        return sorted(name for name in names if mine.fullmatch(name))

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"can't write {self.path} ({reason(error)})", "choose another place")


class AnimationWriter(Writer):
    """A GIF or an animated WebP, endless, for short clips: all frames are held until the end.

    WebP keeps colours, soft alpha and times in milliseconds. GIF has 256 colours and alpha of yes
    or no, and counts hundredths of a second: frames that would be shorter than two of them, which
    programs slow down, are left out, and those before stay for as long.
    """

    def __init__(self, path: Path, like: Facts, *, overwrite: bool = False) -> None:
        check_outputs([(path, ANIMATIONS)], [like.path], overwrite)
        self.path = path
        self._time_base = like.time_base
        self._gif = path.suffix.lower() == ".gif"
        self._frames: list[Pillow.Image] = []
        self._times: list[int] = []
        self._end = Fraction(0)
        self._bytes = 0
        self._whole = Whole(path)

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Adds a frame shown at `pts` of the clip's time base for `duration`."""
        time = self._milliseconds(pts * self._time_base)
        self._end = (pts + duration) * self._time_base
        if self._gif and self._times and time - self._times[-1] < SHORTEST:
            return
        picture = Pillow.fromarray(convert_depth(pixels, np.dtype(np.uint8)))
        self._bytes += picture.width * picture.height * (1 if self._gif else 4)
        if self._bytes > MOST_BYTES:
            raise OutputError(
                f"the clip is too long for {self.path.suffix}", "write .webm, or set --end"
            )
        self._frames.append(_indexed(picture) if self._gif else picture)
        self._times.append(time)

    def _rescued(self) -> bool:
        if self._frames:
            self._finish()
        return bool(self._frames)

    def _finish(self) -> None:
        if not self._frames:
            raise OutputError(f"no frames for {self.path}", "choose another range")
        least = SHORTEST if self._gif else 1
        end = max(self._milliseconds(self._end), self._times[-1] + least)
        times = [*self._times, end]
        shown = [max(least, b - a) for a, b in pairwise(times)]
        how: dict[str, Any] = {"format": "GIF", "disposal": 2, "optimize": False}
        if not self._gif:
            how = {"format": "WEBP", "quality": 90, "method": 2, "exact": True}
        try:
            self._frames[0].save(
                self._whole.temporary,
                save_all=True,
                append_images=self._frames[1:],
                duration=shown,
                loop=0,
                **how,
            )
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            cause = f"can't write {self.path} ({reason(error)})"
            raise OutputError(cause, "choose another place") from error

    def _milliseconds(self, seconds: Fraction) -> int:
        return round(seconds * 100) * 10 if self._gif else round(seconds * 1000)


def _indexed(picture: Pillow.Image) -> Pillow.Image:
    """The picture with 256 colours; one of them, the last, is nothing."""
    if picture.mode != "RGBA":
        return picture if picture.mode == "L" else picture.quantize(256)
    alpha = picture.getchannel("A").point(lambda a: 255 * (a < 128))
    colours = picture.convert("RGB").quantize(255)
    colours.paste(255, mask=alpha)
    colours.info["transparency"] = 255
    return colours
