"""The files that a run leaves behind."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from matte.arrays import Image
from matte.compositing.backgrounds import colour
from matte.compositing.blend import composite
from matte.errors import OutputError
from matte.files import write_file
from matte.media.pictures import (
    ALPHA_WRITABLE,
    OPAQUE,
    WRITABLE,
    encode,
    encode_alpha,
    read_image,
    with_alpha,
)
from matte.stages import Matte


def background_file(text: str) -> Path | None:
    """The picture that `text` names; None if it is meant as a colour."""
    path = Path(text)
    return path if os.path.isfile(path) or path.suffix else None


def read_background(text: str) -> Image | str:
    """The picture that `text` names, or the colour, checked, where it names no file."""
    file = background_file(text)
    if file is not None:
        return read_image(file)
    colour(text)
    return text


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where one picture's results go; None where they are not wanted.

    `picture` is the composite, or without a background the cut-out with its alpha.
    """

    picture: Path
    background: Image | str | None = None
    mask: Path | None = None
    trimap: Path | None = None
    alpha: Path | None = None
    foreground: Path | None = None

    def paths(self) -> Iterator[tuple[Path, Collection[str]]]:
        """Each file that will be written, and the endings that it may have."""
        for path in (self.mask, self.trimap, self.foreground):
            if path is not None:
                yield path, WRITABLE
        if self.alpha is not None:
            yield self.alpha, ALPHA_WRITABLE
        if self.background is None and self.picture.suffix.lower() in OPAQUE:
            raise OutputError(
                f"{self.picture.name} can't hold transparency",
                "name a .png, .webp or .tif, or give a background with --bg",
            )
        yield self.picture, WRITABLE

    def write(self, matte: Matte, overwrite: bool) -> list[Path]:
        """Writes all of them, once all of them are encoded; returns what was written."""
        if self.background is None:
            picture = with_alpha(matte.foreground, matte.alpha)
        else:
            picture = composite(matte.foreground, matte.alpha, self.background)
        files = [
            (path, encode_alpha(matte.alpha, path.suffix))
            if path is self.alpha
            else (path, encode(array, path.suffix))
            for path, array in (
                (self.mask, matte.mask),
                (self.trimap, matte.trimap),
                (self.alpha, matte.alpha),
                (self.foreground, matte.foreground),
                (self.picture, picture),
            )
            if path is not None and array is not None
        ]
        for path, data in files:
            write_file(path, data, overwrite)
        return [path for path, _ in files]
