"""Masks of users: in the picture's size, and those that say which of several subjects is meant."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, BoolArray, as_alpha
from matte.configs.settings import SegmentationSettings
from matte.errors import PictureError, SettingError
from matte.files import file_facts
from matte.imaging.resizing import resize
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import READABLE, read_alpha
from matte.media.sources import Source, is_source, source_name
from matte.segmentation.subjects import parse_subject

MASK_SUFFIXES = (*READABLE, ".npy")
MAX_SHAPE_DIFFERENCE = 0.02  # of the proportions: masks of another size are rounded to pixels
MIN_MASK_VALUE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class SubjectMask:
    """Where the subject is, roughly: True there (H, W), in the picture's size.

    `facts` are a report's; `note` is what a person should know of it, or "".
    """

    region: BoolArray
    facts: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def mask_place(subject: str | None) -> Path | None:
    """Return the file or folder that a setting's text names by `mask:`; None if it names none."""
    place = parse_subject(subject).mask if subject else ""
    return Path(place) if place else None


def mask_path(place: Path, picture: str) -> Path:
    """Return a picture's mask: the file itself, or in a folder the one of the picture's name.

    `cat.png` or `cat.jpg.png` is the mask of `cat.jpg`, whatever folder that lies in.
    """
    if not place.is_dir():
        return place
    if not picture:
        raise PictureError(f"{place} is a folder, and the picture has no name", "name one mask")
    name = Path(picture)
    for stem in (name.name, name.stem):
        found = [path for path in _candidates(place, stem) if path.is_file()]
        if len(found) > 1:
            cause = f"{found[0]} and {found[1].name} are both masks of {picture}"
            raise PictureError(cause, "leave one of them there")
        if found:
            return found[0]
    raise PictureError(f"no mask of {picture} in {place}", f"call it {name.stem}.png")


def mask_paths(place: Path | None, pictures: Iterable[str]) -> list[Path]:
    """Return the masks of several pictures, each once; whoever has none is left out."""
    found: set[Path] = set()
    if place is None:
        return []
    for picture in pictures:
        with suppress(PictureError):  # that picture fails alone, and says so
            found.add(mask_path(place, picture))
    return sorted(found)


def _candidates(place: Path, stem: str) -> Iterator[Path]:
    """Yield the names that a mask may have."""
    for suffix in MASK_SUFFIXES:
        yield place / f"{stem}{suffix}"


def read_subject_mask(
    mask: NDArray[Any] | Source, shape: tuple[int, ...], max_pixels: int = DEFAULT_MAX_PIXELS
) -> SubjectMask:
    """Return the region that a mask, a file or an array, marks in a picture of this shape.

    What is brighter than half is marked. A mask of another size is scaled, if its proportions are
    the picture's.
    """
    name = "the mask of the subject"
    facts: dict[str, Any] = {}
    if isinstance(mask, str) and _is_choice(mask):
        cause = f"{mask!r} is no mask but a choice, which counts for all pictures of a pipeline"
        raise SettingError(cause, f"matte.load(subject={mask!r})")
    if is_source(mask):
        name = source_name(mask, name)
        alpha = Alpha(read_alpha(mask, max_pixels, kind="mask of the subject"))
        if isinstance(mask, str | Path):
            facts |= file_facts(Path(mask))
    else:
        alpha = Alpha(as_alpha(mask))
    scaled, note = scale_mask(alpha, shape, name)
    if note:
        facts["scaled from"] = [alpha.shape[1], alpha.shape[0]]
    region = np.asarray(scaled >= MIN_MASK_VALUE)
    if not region.any():
        raise PictureError(f"{name} marks nothing", "paint white where the subject is")
    return SubjectMask(region, facts, note)


def _is_choice(text: str) -> bool:
    """Return whether a text is what --subject takes, and no file."""
    try:
        SegmentationSettings(subject=text)
    except SettingError:
        return False
    return not Path(text).exists()


def scale_mask(mask: Alpha, shape: tuple[int, ...], name: str) -> tuple[Alpha, str]:
    """Return a mask in the size of a picture of this shape, and a note if it had another size.

    Its proportions have to be the picture's. `name` is what the note and errors call it.
    """
    (high, wide), (height, width) = mask.shape, shape[:2]
    if (high, wide) == (height, width):
        return mask, ""
    sizes = f"{name} is {wide}×{high}, the picture {width}×{height}"
    if abs(wide * height - width * high) > MAX_SHAPE_DIFFERENCE * width * high + max(shape[:2]):
        remedy = "give a mask of the whole picture, large or small"
        raise PictureError(f"{sizes}: another shape", remedy)
    return Alpha(resize(mask, height, width)), f"{sizes}: it is scaled"
