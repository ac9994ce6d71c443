"""Layouts that are a folder of pictures, or one beside a folder of truths.

Each function lists a folder that looks as its docstring says.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from matte.datasets.finding import FoundFiles, find_files, find_subfolder, pair_files
from matte.datasets.samples import Entry, Kind, Listing
from matte.errors import SettingError


def list_pairs(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List images/NAME.* and masks/NAME.*: 255 subject, 0 background, 128 doesn't count."""
    return _list_side_by_side("mask", folder, ("images",), ("masks",))


def list_alphas(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """Pair the pictures in input/ or images/ with the grey alphas in gt/ or alphas/."""
    return _list_side_by_side("alpha", folder, ("input", "images"), ("gt", "alphas"))


def list_alphamatting(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List input/ and gt/ as alphamatting.com ships them; its trimaps are for evaluation."""
    return _list_side_by_side(
        "alpha",
        folder,
        ("input", "input_training_lowres", "input_training_highres"),
        ("gt", "gt_training_lowres", "gt_training_highres"),
    )


def list_ppm100(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """Pair the pictures in image/ with the grey alphas in matte/."""
    return _list_side_by_side("alpha", folder, ("image",), ("matte",))


def list_p3m10k(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List blurred_image/ or original_image/, and mask/, which holds alphas.

    Of the whole set, the part in train/; a part for validation is listed when it is named itself.
    """
    part = find_subfolder(folder, "train") or folder
    return _list_side_by_side("alpha", part, ("blurred_image", "original_image"), ("mask",))


def list_aisegment(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List clip_img/ID/clip_N/*.jpg and matting/ID/matting_N/*.png, whose transparency is alpha."""
    pictures, truths = _require_two(folder, ("clip_img",), ("matting",))
    return pair_files(
        "alpha",
        find_files([pictures], rename=lambda name: re.sub(r"(^|/)clip_", r"\1", name)),
        find_files([truths], rename=lambda name: re.sub(r"(^|/)matting_", r"\1", name)),
    )


def list_cutouts(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List pictures with transparency, in the folder or below."""
    return _list_single("cutout", find_files([folder]))


def list_backgrounds(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List pictures without a subject, in the folder or below."""
    return _list_single("background", find_files([folder]))


def _list_side_by_side(
    kind: Kind, folder: Path, pictures: tuple[str, ...], truths: tuple[str, ...]
) -> Listing:
    """List pictures and truths of two subfolders, the first that is there of each's names."""
    one, other = _require_two(folder, pictures, truths)
    return pair_files(kind, find_files([one]), find_files([other]))


def _require_two(
    folder: Path, pictures: tuple[str, ...], truths: tuple[str, ...]
) -> tuple[Path, Path]:
    """Return the subfolders of the pictures and of the truths; raise if one is missing."""
    return require_subfolder(folder, *pictures), require_subfolder(folder, *truths)


def require_subfolder(folder: Path, *names: str) -> Path:
    """Return the subfolder of one of these names; raise if there is none."""
    found_one = find_subfolder(folder, *names)
    if found_one is None:
        raise SettingError(
            f"no {'/ or '.join(names)}/ in {folder}", "name the data set's folder, or its layout"
        )
    return found_one


def _list_single(kind: Kind, pictures: FoundFiles) -> Listing:
    """List pictures that have no truth in a file of its own."""
    entries = tuple(Entry(name, kind, path) for name, path in pictures.files.items())
    return Listing(entries, pictures.broken)
