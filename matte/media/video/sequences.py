"""Clips as numbered pictures: PNG files, or OpenEXR files of linear light."""

import os
import re
import warnings
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.errors import MatteWarning, OutputError
from matte.files import check_output, check_outputs, make_folder
from matte.media.encoding import encode
from matte.media.exr import encode_exr, open_exr_library
from matte.media.sources import error_text
from matte.media.video.facts import ClipFacts
from matte.media.video.unfinished import FrameWriter, UnfinishedOutput
from matte.placement import PendingFile, create_file, remove_quietly

PICTURE_ENDINGS = (".png", ".exr")
NUMBER_PATTERN = re.compile(r"%0?\d*d")


def is_sequence(path: Path) -> bool:
    """Return whether the path names numbered pictures: as name%05d.png does, or a folder."""
    if path.suffix.lower() in PICTURE_ENDINGS:
        return NUMBER_PATTERN.search(path.name) is not None
    return not path.suffix or os.path.isdir(path)


def is_linear_sequence(path: Path) -> bool:
    """Return whether the path names numbered pictures of linear light: as name%05d.exr does."""
    return path.suffix.lower() == ".exr" and is_sequence(path)


def first_picture_path(path: Path) -> Path:
    """Return the path of picture number 1 of a sequence such as name%05d.png."""
    pattern = _name_pattern(path)
    return pattern.with_name(_numbered_name(pattern.name, 1))


def _name_pattern(path: Path) -> Path:
    """Return the path with %d in its name; those in a folder are named %05d.png."""
    return path if path.suffix.lower() in PICTURE_ENDINGS else path / "%05d.png"


def _numbered_name(name: str, number: int) -> str:
    """Return the name with `number` in place of its %d."""
    return NUMBER_PATTERN.sub(lambda found: found[0] % number, name, count=1)


class SequenceWriter(FrameWriter):
    """Writes numbered pictures, from 1 on: `folder`/00001.png, … or as a pattern says.

    PNG files keep 16 bits and straight alpha; OpenEXR files have half floats, and the shape of the
    clip's pixels. Neither has times: every frame is one file. The folder is made
    if only itself is missing. They are written into another one beside their place and moved there
    when whole; if the `with` block is left by an exception, that one is kept as `partial`.
    """

    def __init__(self, path: Path, like: ClipFacts, *, overwrite: bool = False) -> None:
        pattern = _name_pattern(path)
        self.path = path
        self._ending, self._aspect = pattern.suffix.lower(), float(like.sample_aspect)
        if self._ending == ".exr":
            open_exr_library()
        self._name, self._folder = pattern.name, pattern.parent
        exists = os.path.isdir(self._folder)
        if exists:
            check_outputs([(first_picture_path(path), PICTURE_ENDINGS)], [like.path], True)
        else:
            check_output(self._folder, overwrite=True)
        present = [name for name in self._present_names() if not overwrite]
        if present:
            raise OutputError(
                f"{self._folder} holds {present[0]}", "choose another place or add --overwrite"
            )
        inside = exists and pattern == path
        name = path.with_name(NUMBER_PATTERN.sub("", path.stem) or "frames")
        self._unfinished = UnfinishedOutput(
            name if inside else self._folder, [like.path], overwrite, folder=True
        )
        self._count = 0
        self._made_folder = False

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Add a frame: grey, RGB or RGBA, uint8 or uint16; for .exr float32, premultiplied."""
        if self._ending == ".exr":
            data = encode_exr({"": pixels}, self._aspect)
        else:
            data = encode(pixels, ".png")
        file = self._unfinished.temporary / _numbered_name(self._name, self._count + 1)
        with ExitStack() as part:  # of a picture, which is removed
            part.callback(remove_quietly, file)
            try:
                with create_file(file, self._unfinished.pending.permissions) as opened:
                    opened.write(data)
            except OSError as error:
                raise self._error(error) from error
            part.pop_all()
        self._count += 1

    def pending_files(self) -> list[PendingFile]:
        """Return the pictures, which are moved into the folder that is asked for."""
        self._made_folder = not os.path.exists(self._folder)
        make_folder(self._folder)
        pending, folder = self._unfinished.pending, Path(os.path.realpath(self._folder))
        return [
            replace(
                pending, temporary=file, path=self._folder / file.name, target=folder / file.name
            )
            for file in self._picture_paths()
        ]

    def end_publishing(self) -> None:
        """Warn of older pictures in the folder."""
        super().end_publishing()
        older = set(self._present_names()) - {
            _numbered_name(self._name, number + 1) for number in range(self._count)
        }
        if older:
            text = f"{self._folder} still holds {min(older)}, which is of an earlier run"
            warnings.warn(text, MatteWarning, stacklevel=2)

    def close(self) -> None:
        """Remove what still has its temporary name, and a folder that nothing was moved into."""
        super().close()
        if self._made_folder and not self._is_published:
            with suppress(OSError):
                self._folder.rmdir()

    def _salvage(self) -> None:
        """Do nothing: each picture is a file that is whole."""

    def _count_frames(self) -> int:
        """Return how many pictures there are."""
        return len(self._picture_paths())

    def _picture_paths(self) -> list[Path]:
        """Return the pictures that are written."""
        return sorted(self._unfinished.temporary.iterdir())

    def _end_file(self) -> None:
        """Raise OutputError if there are no frames."""
        if not self._count:
            raise OutputError(f"no frames for {self.path}", "choose another range")

    def _present_names(self) -> list[str]:
        """Return the names in the folder that frames might get."""
        before, after = NUMBER_PATTERN.split(self._name, maxsplit=1)
        mine = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        try:
            names = [file.name for file in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._error(error) from error
        return sorted(name for name in names if mine.fullmatch(name))

    def _error(self, error: OSError) -> OutputError:
        """Return the error to raise where the system refuses to write."""
        return OutputError(f"can't write {self.path} ({error_text(error)})", "choose another place")
