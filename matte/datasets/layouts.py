"""Layouts of data sets by name, and the guess which one a folder has."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image as Pillow

from matte.datasets.finding import folders, found, subfolder
from matte.datasets.samples import Listing
from matte.errors import SettingError
from matte.registry import resolve

AUTO = "auto"
LAYOUTS = {
    "aisegment": "matte.datasets.folders:aisegment",
    "alphamatting": "matte.datasets.folders:alphamatting",
    "alphas": "matte.datasets.folders:alphas",
    "backgrounds": "matte.datasets.folders:backgrounds",
    "ccp": "matte.datasets.clothing:ccp",
    "composition1k": "matte.datasets.composition:composition1k",
    "cutouts": "matte.datasets.folders:cutouts",
    "p3m10k": "matte.datasets.folders:p3m10k",
    "pairs": "matte.datasets.folders:pairs",
    "ppm100": "matte.datasets.folders:ppm100",
}
LOOKED_AT = 24  # pictures whose headers tell cut-outs from backgrounds
TRUTHS = re.compile(r"mask|label|trimap|alpha|matt|gt|truth|annot|pred|seg", re.IGNORECASE)


def list_set(folder: Path, layout: str, classes: Sequence[str] = ()) -> Listing:
    """What a folder holds that can be trained on; only names are looked at, no file is opened.

    `layout` is a name in LAYOUTS or "auto". `classes` are the labels that are the subject, where
    the layout has several: names, numbers, or "clothing".
    """
    if not folder.is_dir():
        raise SettingError(f"no folder {folder}", "name a data set's folder")
    if layout == AUTO:
        layout = guess(folder, classes)
    function: Callable[[Path, Sequence[str]], Listing] = resolve(
        "layout", {**LAYOUTS, AUTO: ""}, layout
    )
    if classes and layout != "ccp":
        raise SettingError(f"layout {layout} has no classes", "only ccp has; leave them out")
    return function(folder, classes)


def guess(folder: Path, classes: Sequence[str] = ()) -> str:
    """The layout that a folder's content suggests; an error if it is none or more than one.

    A folder with both masks and labels is `ccp` if classes are asked for, otherwise `pairs`.
    """

    there = {child.name.lower() for child in folders(folder)}

    def has(*alternatives: str) -> bool:
        return not there.isdisjoint(name.lower() for name in alternatives)

    fitting = {
        "aisegment": has("clip_img") and has("matting"),
        "alphamatting": (has("input") and has("gt") and has("trimap1", "trimap2"))
        or has("input_training_lowres", "input_training_highres"),
        "alphas": has("input", "images") and has("gt", "alphas"),
        "ccp": has("images", "photos") and has("labels", "annotations"),
        "composition1k": has("Training_set", "Test_set", "Combined_Dataset", "fg")
        or has("Adobe-licensed images"),
        "p3m10k": (has("blurred_image", "original_image") and has("mask"))
        or (has("train") and subfolder(folder / "train", "blurred_image") is not None),
        "pairs": has("images") and has("masks"),
        "ppm100": has("image") and has("matte"),
    }
    names = {name for name, fits in fitting.items() if fits}
    if "alphamatting" in names:
        names.discard("alphas")
    if {"ccp", "pairs"} <= names:
        names.discard("pairs" if classes else "ccp")
    if not names:
        names = _loose(folder)
    if len(names) == 1:
        return names.pop()
    which = f"could be {' or '.join(sorted(names))}" if names else "has no layout that is known"
    raise SettingError(f"{folder} {which}", "choose the layout from " + ", ".join(LAYOUTS))


def _loose(folder: Path) -> set[str]:
    """What pictures without a known folder around them may be: cut-outs, backgrounds, or both."""
    files = found([folder]).files
    # Masks must never be taken for backgrounds.
    if any(TRUTHS.search(part) for name in files for part in name.split("/")[:-1]):
        return set()
    pictures = list(files.values())
    step = -(-len(pictures) // LOOKED_AT) or 1
    transparent = {_transparent(path) for path in pictures[::step]} - {None}
    return {"cutouts" if one else "backgrounds" for one in transparent}


def _transparent(path: Path) -> bool | None:
    """Whether a picture's header promises transparency; None if it can't be read."""
    try:
        with Pillow.open(path) as picture:
            return bool(picture.has_transparency_data)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError):
        return None
