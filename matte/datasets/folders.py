"""Layouts that are a folder of pictures, or one beside a folder of truths.

Each function lists a folder; what the folder has to look like is told in its docstring.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from matte.datasets.finding import Found, found, paired, subfolder
from matte.datasets.samples import Entry, Kind, Listing
from matte.errors import SettingError


def pairs(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """images/NAME.* and masks/NAME.*: 255 subject, 0 background, 128 doesn't count."""
    return _side_by_side("mask", folder, ("images",), ("masks",))


def alphas(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """input/ or images/, and gt/ or alphas/: grey alpha."""
    return _side_by_side("alpha", folder, ("input", "images"), ("gt", "alphas"))


def alphamatting(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """input/ and gt/ as alphamatting.com ships them; their trimaps are evaluation's business."""
    return _side_by_side(
        "alpha",
        folder,
        ("input", "input_training_lowres", "input_training_highres"),
        ("gt", "gt_training_lowres", "gt_training_highres"),
    )


def ppm100(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """image/ and matte/."""
    return _side_by_side("alpha", folder, ("image",), ("matte",))


def p3m10k(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """blurred_image/ or original_image/, and mask/, which holds alphas.

    Of the whole set, the part in train/; a part for validation is listed when it is named itself.
    """
    part = subfolder(folder, "train") or folder
    return _side_by_side("alpha", part, ("blurred_image", "original_image"), ("mask",))


def aisegment(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """clip_img/ID/clip_N/*.jpg and matting/ID/matting_N/*.png, whose transparency is the alpha."""
    pictures, truths = _two(folder, ("clip_img",), ("matting",))
    return paired(
        "alpha",
        found([pictures], rename=lambda name: re.sub(r"(^|/)clip_", r"\1", name)),
        found([truths], rename=lambda name: re.sub(r"(^|/)matting_", r"\1", name)),
    )


def cutouts(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """Pictures with transparency, in the folder or below."""
    return _single("cutout", found([folder]))


def backgrounds(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """Pictures without a subject, in the folder or below."""
    return _single("background", found([folder]))


def _side_by_side(
    kind: Kind, folder: Path, pictures: tuple[str, ...], truths: tuple[str, ...]
) -> Listing:
    one, other = _two(folder, pictures, truths)
    return paired(kind, found([one]), found([other]))


def _two(folder: Path, pictures: tuple[str, ...], truths: tuple[str, ...]) -> tuple[Path, Path]:
    return required(folder, *pictures), required(folder, *truths)


def required(folder: Path, *names: str) -> Path:
    """The subfolder of one of these names; an error if there is none."""
    found_one = subfolder(folder, *names)
    if found_one is None:
        raise SettingError(
            f"no {'/ or '.join(names)}/ in {folder}", "name the data set's folder, or its layout"
        )
    return found_one


def _single(kind: Kind, pictures: Found) -> Listing:
    entries = tuple(Entry(name, kind, path) for name, path in pictures.files.items())
    return Listing(entries, pictures.broken)
