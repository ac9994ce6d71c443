"""Pictures and their truths, found by folder layout and read one after the other."""

import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap, same_size
from matte.datasets.masks import mask_from_grey
from matte.errors import PictureError
from matte.imaging.bit_depth import quantise_alpha
from matte.media.pictures import READABLE, read_alpha, read_image

MASK_LAYOUT = ("images", "masks")
MATTE_LAYOUT = ("input", "gt")


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a picture and its truth: one each, if it can be used."""

    name: str  # what both are called, without the ending
    pictures: tuple[Path, ...]
    truths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MaskCase:
    """A picture and its true mask, in which 128 doesn't count; the sizes may differ."""

    name: str
    image: Image
    truth: Trimap


@dataclass(frozen=True, slots=True, eq=False)
class MatteCase:
    """A picture, its true alpha and, where alpha is to be found within one, its trimap."""

    name: str
    image: Image
    truth: Alpha
    trimap: Trimap | None = None

    @property
    def region(self) -> NDArray[np.bool_]:
        """Where alpha is measured: the trimap's unknown pixels, or the whole picture."""
        if self.trimap is None:
            return np.ones(self.truth.shape, bool)
        return np.asarray(self.trimap == UNKNOWN)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A pair that can't be used, and why."""

    name: str
    reason: str


DrawTrimap = Callable[[str, Image, Alpha], Trimap]  # from a picture's name, pixels and true alpha


def mask_cases(data: Path) -> Iterator[MaskCase | Skipped]:
    """The pairs of images/ and masks/, or of input/ and gt/ with alpha cut at a half, by name."""
    from_alpha = not _has(data, MASK_LAYOUT)
    for pair in find_pairs(data, MASK_LAYOUT, MATTE_LAYOUT):
        try:
            picture, truth = _whole(pair)
            label = _cut(read_alpha(truth)) if from_alpha else _read_label(truth)
            yield MaskCase(pair.name, read_image(picture), label)
        except PictureError as error:
            yield Skipped(pair.name, str(error))


def matte_cases(data: Path, draw_trimap: DrawTrimap | None = None) -> Iterator[MatteCase | Skipped]:
    """The pairs of input/ and gt/ by name; with `draw_trimap`, each with its trimap."""
    for pair in find_pairs(data, MATTE_LAYOUT):
        try:
            picture, truth = _whole(pair)
            image, alpha = read_image(picture), read_alpha(truth)
            same_size(("picture", image), ("truth", alpha))
            if draw_trimap is None:
                yield MatteCase(pair.name, image, alpha)
                continue
            trimap = draw_trimap(pair.name, image, alpha)
            same_size(("picture", image), ("trimap", trimap))
            if not (trimap == UNKNOWN).any():
                raise PictureError("its trimap has no unknown pixel", "give one with 128")
            yield MatteCase(pair.name, image, alpha, trimap)
        except PictureError as error:
            yield Skipped(pair.name, str(error))


def find_pairs(data: Path, *layouts: tuple[str, str]) -> list[Pair]:
    """The pairs of the first of the layouts that `data` has, by name."""
    for pictures, truths in layouts:
        if _has(data, (pictures, truths)):
            left, right = named_pictures(data / pictures), named_pictures(data / truths)
            return [Pair(n, left.get(n, ()), right.get(n, ())) for n in sorted({*left, *right})]
    wanted = " or ".join(f"{a}/ and {b}/" for a, b in layouts)
    if not is_folder(data):
        raise PictureError(f"no folder {data}", f"name one that holds {wanted}")
    raise PictureError(f"no pictures with truth in {data}", f"give it {wanted}")


def named_pictures(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The pictures of a folder by their names without the ending; hidden files are none.

    Names are in composed Unicode: macOS and Linux then agree on umlauts.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise PictureError(f"can't read {folder} ({error.strerror})", "allow it") from error
    named: dict[str, tuple[Path, ...]] = {}
    for path in paths:
        if path.suffix.lower() in READABLE and not path.name.startswith("."):
            name = unicodedata.normalize("NFC", path.stem)
            named[name] = (*named.get(name, ()), path)
    return named


def only(files: tuple[Path, ...], what: str) -> Path:
    """The file of a picture, truth or trimap; raises unless there is just one."""
    if not files:
        raise PictureError(f"it has no {what}", "give both the same name")
    if len(files) > 1:
        names = " and ".join(file.name for file in files)
        raise PictureError(f"{names} have the same name", f"keep one {what}")
    return files[0]


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False also for a name that can't be looked up."""
    return os.path.isdir(path)  # noqa: PTH112  # pathlib raises for some names


def _has(data: Path, layout: tuple[str, str]) -> bool:
    return all(is_folder(data / folder) for folder in layout)


def _whole(pair: Pair) -> tuple[Path, Path]:
    return only(pair.pictures, "picture"), only(pair.truths, "truth")


def _read_label(path: Path) -> Trimap:
    alpha = read_alpha(path)
    grey = quantise_alpha(alpha, np.uint8)
    if alpha.any() and not grey.any():  # class numbers of 16 bits
        raise PictureError(f"{path.name} is all but black", "write the subject as white")
    return mask_from_grey(grey, path.name)


def _cut(alpha: Alpha) -> Trimap:
    return Trimap(np.where(alpha >= 0.5, SUBJECT, BACKGROUND).astype(np.uint8))
