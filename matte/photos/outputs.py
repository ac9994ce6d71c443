"""The files that one photo's results are written to."""

import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.errors import MatteWarning, OutputError
from matte.files import STREAM, write_files
from matte.media.encoding import ALPHA_WRITABLE, LAYERED, OPAQUE, WRITABLE, encode, encode_alpha
from matte.media.pictures import Photo
from matte.media.streams import write_stdout
from matte.photos.finishing import PhotoFinisher
from matte.photos.layered import encode_layers
from matte.photos.locations import Location
from matte.stages import Matte
from matte.stores.stored_file import StoredFile

REPORT_SUFFIXES = (".json", ".csv")


@dataclass(frozen=True, slots=True)
class WrittenPhoto:
    """The files that were written, and what a report says of how the picture was finished."""

    paths: tuple[Location, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PhotoOutputs:
    """The files for one photo's results; None for those that are not wanted.

    `picture` is the composite, or the cut-out with its alpha.
    """

    picture: Location
    ending: str = ".png"  # what goes to standard output
    mask: Path | None = None
    trimap: Path | None = None
    alpha: Path | None = None
    foreground: Path | None = None

    def paths(self, transparent: bool) -> Iterator[tuple[Location, Collection[str]]]:
        """Yield each file that will be written, and the endings that it may have."""
        for path in (self.mask, self.trimap, self.foreground):
            if path is not None:
                yield path, WRITABLE
        if self.alpha is not None:
            yield self.alpha, ALPHA_WRITABLE
        if transparent and self._ending(self.picture) in OPAQUE:
            name = self.ending if self.picture == STREAM else self.picture.name
            raise OutputError(
                f"{name} can't hold transparency",
                "name a .png, .webp or .tif, or give a background with --bg",
            )
        if self.picture != STREAM:
            yield self.picture, (*WRITABLE, *LAYERED)

    def write(
        self,
        photo: Photo,
        matte: Matte,
        finisher: PhotoFinisher,
        overwrite: bool,
        sources: Iterable[Path] = (),
    ) -> WrittenPhoto:
        """Write all files once all are encoded, or none of them; return which.

        Nobody may read them who may not read the `sources` that they were made from.
        """
        box = finisher.crop_box(matte.alpha)
        files: list[tuple[Path, bytes]] = []
        for path, array in ((self.mask, matte.mask), (self.trimap, matte.trimap)):
            if path is not None and array is None:
                warnings.warn(f"{path} is not written: there is none", MatteWarning, stacklevel=3)
            elif path is not None:
                files.append((path, encode(_crop(array, box), path.suffix)))
        if self.alpha is not None:
            files.append((self.alpha, encode_alpha(_crop(matte.alpha, box), self.alpha.suffix)))
        if self.foreground is not None:
            colours = _crop(matte.foreground, box)
            files.append((self.foreground, self._encode(photo, colours, self.foreground)))
        picture, facts = self._finished(photo, matte, finisher)
        if isinstance(self.picture, StoredFile):
            self.picture.write(picture, overwrite)
            return WrittenPhoto((self.picture,), facts)
        if self.picture != STREAM:
            files.append((self.picture, picture))
        write_files(files, overwrite, sources)
        if self.picture == STREAM:
            write_stdout(picture)
        return WrittenPhoto(tuple(path for path, _ in files), facts)

    def _finished(
        self, photo: Photo, matte: Matte, finisher: PhotoFinisher
    ) -> tuple[bytes, dict[str, Any]]:
        """Return the finished picture as a file's bytes, and what a report says of it."""
        ending = self._ending(self.picture)
        if ending in LAYERED:
            layers = finisher.layers(photo, matte)
            return encode_layers(layers, photo, ending), layers.facts
        finished = finisher.finish(photo, matte)
        picture = self._encode(photo, finished.picture, self.picture, reuse_array=True)
        return picture, finished.facts

    def _encode(
        self, photo: Photo, picture: NDArray[Any], path: Location, reuse_array: bool = False
    ) -> bytes:
        """Return the picture as a file's bytes, with the photo's profile and EXIF."""
        return encode(picture, self._ending(path), photo.profile, photo.exif, reuse_array)

    def _ending(self, path: Location) -> str:
        """Return the ending of an output's file; standard output has the run's own."""
        return self.ending if path == STREAM else path.suffix.lower()


def _crop(array: Any, box: tuple[slice, slice]) -> Any:
    """Return the rows and columns of an array that are kept, as one block of memory."""
    return np.ascontiguousarray(array[box])
