"""The files that a run leaves behind."""

from dataclasses import dataclass
from pathlib import Path

from matte.arrays import Image
from matte.compositing.backgrounds import colour
from matte.compositing.blend import composite
from matte.errors import OutputError
from matte.media.files import check_output, write_file
from matte.media.pictures import (
    ALPHA_WRITABLE,
    WRITABLE,
    encode,
    encode_alpha,
    read_image,
    with_alpha,
)
from matte.stages import Matte


def read_background(text: str) -> Image | str:
    """The picture that `text` names, or the colour, checked, where it names no file."""
    path = Path(text)
    if path.exists() or path.suffix:
        return read_image(path)
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
    overwrite: bool = False

    def check(self, source: Path) -> None:
        """Raises if one of them can't be written, or would destroy the source or another."""
        paths = self._wanted()
        seen = {source.resolve()}
        for path in paths:
            if path.resolve() in seen:
                raise OutputError(f"{path} is named twice", "give every file its own name")
            seen.add(path.resolve())
            check_output(path, self.overwrite)
            known = ALPHA_WRITABLE if path == self.alpha else tuple(WRITABLE)
            if path.suffix.lower() not in known:
                raise OutputError(f"can't write {path.name}", "use " + ", ".join(known))
        if self.background is None and not WRITABLE[self.picture.suffix.lower()]:
            raise OutputError(
                f"{self.picture.name} can't hold transparency",
                "name a .png, .webp or .tif, or give a background with --bg",
            )

    def write(self, matte: Matte) -> list[Path]:
        """Writes all of them; returns what was written."""
        if self.background is None:
            picture = with_alpha(matte.foreground, matte.alpha)
        else:
            picture = composite(matte.foreground, matte.alpha, self.background)
        for path, array in (
            (self.mask, matte.mask),
            (self.trimap, matte.trimap),
            (self.foreground, matte.foreground),
            (self.picture, picture),
        ):
            if path is None:
                continue
            if array is None:
                raise OutputError(
                    f"no {path.name}", "a run without a trimap has neither it nor a mask"
                )
            write_file(path, encode(array, path.suffix), self.overwrite)
        if self.alpha is not None:
            write_file(self.alpha, encode_alpha(matte.alpha, self.alpha.suffix), self.overwrite)
        return self._wanted()

    def _wanted(self) -> list[Path]:
        all_paths = (self.mask, self.trimap, self.alpha, self.foreground, self.picture)
        return [path for path in all_paths if path is not None]
