"""Pictures and their true masks or alphas: found by folder layout, read one after the other."""

import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, BoolArray, Image, Trimap, same_size
from matte.datasets.masks import mask_from_grey
from matte.errors import PictureError
from matte.imaging.bit_depth import quantise_alpha
from matte.media.pictures import READABLE, read_alpha, read_image

MASK_LAYOUT = ("images", "masks")
MATTE_LAYOUT = ("input", "gt")


@dataclass(frozen=True, slots=True)
class PairFiles:
    """The files of a picture and its truth: one each, unless names are missing or ambiguous."""

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
    def region(self) -> BoolArray:
        """The pixels (H, W) where alpha is measured: the trimap's unknown ones, or all."""
        if self.trimap is None:
            return np.ones(self.truth.shape, bool)
        return np.asarray(self.trimap == UNKNOWN)


@dataclass(frozen=True, slots=True)
class SkippedCase:
    """A pair of files that can't be used, and why."""

    name: str
    reason: str


DrawTrimap = Callable[[str, Image, Alpha], Trimap]  # from a picture's name, pixels and true alpha


def mask_cases(data: Path) -> Iterator[MaskCase | SkippedCase]:
    """Yield pictures with true masks by name, from images/ and masks/, or from input/ and gt/.

    Of gt/ alpha from 0.5 is the subject.
    """
    is_alpha = not _has_layout(data, MASK_LAYOUT)
    for pair in find_pairs(data, MASK_LAYOUT, MATTE_LAYOUT):
        try:
            picture, truth = _picture_and_truth(pair)
            mask = _cut_alpha(read_alpha(truth)) if is_alpha else _read_true_mask(truth)
            yield MaskCase(pair.name, read_image(picture), mask)
        except PictureError as error:
            yield SkippedCase(pair.name, str(error))


def matte_cases(
    data: Path, draw_trimap: DrawTrimap | None = None
) -> Iterator[MatteCase | SkippedCase]:
    """Yield pictures with true alpha by name, from input/ and gt/.

    With `draw_trimap`, each has its trimap.
    """
    for pair in find_pairs(data, MATTE_LAYOUT):
        try:
            picture, truth = _picture_and_truth(pair)
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
            yield SkippedCase(pair.name, str(error))


def find_pairs(data: Path, *layouts: tuple[str, str]) -> list[PairFiles]:
    """Return the pairs of files by name, in the first of the layouts that `data` has.

    A layout is the name of the pictures' folder and that of the truths'.
    """
    for pictures, truths in layouts:
        if _has_layout(data, (pictures, truths)):
            left, right = pictures_by_name(data / pictures), pictures_by_name(data / truths)
            return [
                PairFiles(n, left.get(n, ()), right.get(n, ())) for n in sorted({*left, *right})
            ]
    wanted = " or ".join(f"{a}/ and {b}/" for a, b in layouts)
    if not is_folder(data):
        raise PictureError(f"no folder {data}", f"name one that holds {wanted}")
    raise PictureError(f"no pictures with truth in {data}", f"give it {wanted}")


def pictures_by_name(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the pictures of a folder by their names without the ending, without hidden files.

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


def single_file(files: tuple[Path, ...], what: str) -> Path:
    """Return the one file of a picture, truth or trimap; PictureError unless there is one."""
    if not files:
        raise PictureError(f"it has no {what}", "give both the same name")
    if len(files) > 1:
        names = " and ".join(file.name for file in files)
        raise PictureError(f"{names} have the same name", f"keep one {what}")
    return files[0]


def is_folder(path: Path) -> bool:
    """Return whether a folder exists; False also for a name that no file can have."""
    return os.path.isdir(path)  # noqa: PTH112  # pathlib raises for some names


def _has_layout(data: Path, layout: tuple[str, str]) -> bool:
    """Return whether `data` holds both of the layout's folders."""
    return all(is_folder(data / folder) for folder in layout)


def _picture_and_truth(pair: PairFiles) -> tuple[Path, Path]:
    """Return the picture's file and the truth's; raises PictureError if there is not one each."""
    return single_file(pair.pictures, "picture"), single_file(pair.truths, "truth")


def _read_true_mask(path: Path) -> Trimap:
    """Return a file's mask, in which 128 is not counted."""
    alpha = read_alpha(path)
    grey = quantise_alpha(alpha, np.uint8)
    if alpha.any() and not grey.any():  # class numbers of 16 bits
        raise PictureError(f"{path.name} is all but black", "write the subject as white")
    return mask_from_grey(grey, path.name)


def _cut_alpha(alpha: Alpha) -> Trimap:
    """Return alpha as a mask of 0 and 255, cut at 0.5."""
    return Trimap(np.where(alpha >= 0.5, SUBJECT, BACKGROUND).astype(np.uint8))
