"""Training pictures, read once and kept in memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.errors import PictureError, SettingError
from matte.training.settings import DataSet, SegmenterSettings

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture (H, W, 3) RGB and its label (H, W): 0 background, 255 subject, 128 not counted."""

    name: str
    picture: Bytes
    label: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """All the pictures of a run.

    `sets`: per data set its folder, weight and pictures; a set of cut-outs holds RGBA pictures
    whose label is empty. `validation`: pictures that are never trained on, with their set's folder.
    `skipped`: what could not be used, and why.
    """

    sets: tuple[tuple[DataSet, tuple[Labelled, ...]], ...]
    validation: tuple[tuple[str, Labelled], ...]
    skipped: tuple[str, ...]


class UnusableError(PictureError):
    """A training picture that can't be used; training skips it."""


def collect(settings: SegmenterSettings, root: Path, progress: Callable[[str], None]) -> Collection:
    """Every picture of the settings' data sets below `root`; the unusable are named and skipped."""
    sets: list[tuple[DataSet, tuple[Labelled, ...]]] = []
    held_back: list[tuple[str, Labelled]] = []
    skipped: list[str] = []
    for data in settings.data:
        folder = root / data.folder
        if not folder.is_dir():
            raise SettingError(f"no folder {folder}", "check --data and the [[data]] folders")
        kept: list[Labelled] = []
        for path in _pictures(folder / "images" if data.kind == "pairs" else folder):
            if path.stem in data.exclude:
                continue
            try:
                item = _READERS[data.kind](path, settings.longest)
            except UnusableError as error:
                skipped.append(f"{path}: {error}")
                progress(f"skipped {path}: {error}")
                continue
            if data.kind != "cutouts" and fraction(item.name) < settings.held_back:
                held_back.append((data.folder, item))
            else:
                kept.append(item)
        if data.weight > 0 and not kept:
            raise SettingError(
                f"no training picture in {folder}", f"is it a folder of {data.kind}?"
            )
        sets.append((data, tuple(kept)))
    held_back.sort(key=lambda pair: fraction(pair[1].name))
    validation = tuple(held_back[: settings.validation_pictures])
    trained = sum(len(kept) for _, kept in sets)
    progress(
        f"{trained} pictures to train on, {len(validation)} to validate, {len(skipped)} skipped"
    )
    return Collection(tuple(sets), validation, tuple(skipped))


def fraction(name: str) -> float:
    """A number in 0 … 1 that only depends on the name: the same split on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def read_pair(path: Path, longest: int) -> Labelled:
    """The picture at images/NAME.* with the label at masks/NAME.png."""
    picture = _decode(path, cv2.IMREAD_COLOR_RGB)
    mask_path = path.parent.parent / "masks" / f"{path.stem}.png"
    if not mask_path.is_file():
        raise UnusableError(f"it has no {mask_path.name} in masks")
    label = _decode(mask_path, cv2.IMREAD_GRAYSCALE)
    if label.shape != picture.shape[:2]:
        raise UnusableError(f"its mask is {label.shape[::-1]}, it is {picture.shape[1::-1]}")
    if not np.isin(label, (BACKGROUND, UNKNOWN, SUBJECT)).all():
        raise UnusableError("its mask has values besides 0, 128 and 255")
    return Labelled(
        path.stem,
        _shrink(picture, longest, cv2.INTER_AREA),
        _shrink(label, longest, cv2.INTER_NEAREST_EXACT),
    )


def read_alpha(path: Path, longest: int) -> Labelled:
    """The picture at input/NAME.* with the alpha matte at gt/NAME.png, cut at a half."""
    picture = _decode(path, cv2.IMREAD_COLOR_RGB)
    alpha = _decode(path.parent.parent / "gt" / f"{path.stem}.png", cv2.IMREAD_GRAYSCALE)
    if alpha.shape != picture.shape[:2]:
        raise UnusableError(f"its matte is {alpha.shape[::-1]}, it is {picture.shape[1::-1]}")
    label = np.where(alpha >= UNKNOWN, SUBJECT, BACKGROUND).astype(np.uint8)
    return Labelled(
        path.stem,
        _shrink(picture, longest, cv2.INTER_AREA),
        _shrink(label, longest, cv2.INTER_NEAREST_EXACT),
    )


def read_background(path: Path, longest: int) -> Labelled:
    """A picture without a subject."""
    picture = _shrink(_decode(path, cv2.IMREAD_COLOR_RGB), longest, cv2.INTER_AREA)
    return Labelled(path.stem, picture, np.zeros(picture.shape[:2], np.uint8))


def read_cutout(path: Path, longest: int) -> Labelled:
    """An RGBA subject (H, W, 4); its label is empty."""
    picture = _decode(path, cv2.IMREAD_UNCHANGED)
    if picture.ndim != 3 or picture.shape[2] != 4:
        raise UnusableError("it is not an RGBA picture")
    rgba = cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA).astype(np.uint8)
    return Labelled(path.stem, _shrink(rgba, longest, cv2.INTER_AREA), np.empty((0, 0), np.uint8))


_READERS: dict[str, Callable[[Path, int], Labelled]] = {
    "backgrounds": read_background,
    "cutouts": read_cutout,
    "pairs": read_pair,
}


def _pictures(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in ENDINGS)


def _decode(path: Path, flags: int) -> Bytes:
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except (OSError, cv2.error) as error:
        raise UnusableError(f"can't read {path.name}") from error
    # OpenCV's stubs don't say that an undecodable file gives None.
    if not isinstance(picture, np.ndarray):
        raise UnusableError(f"can't decode {path.name}")
    if picture.dtype != np.uint8:
        raise UnusableError(f"{path.name} is not an 8-bit picture")
    return picture.astype(np.uint8, copy=False)


def _shrink(picture: Bytes, longest: int, interpolation: int) -> Bytes:
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)
