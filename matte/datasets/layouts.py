"""Layouts of data sets by name, and a guess which one a folder has."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image as Pillow

from matte.datasets.finding import find_files, find_subfolder, visible_folders
from matte.datasets.samples import Listing
from matte.errors import SettingError
from matte.registry import resolve

AUTO = "auto"
LAYOUTS = {
    "aisegment": "matte.datasets.folders:list_aisegment",
    "alphamatting": "matte.datasets.folders:list_alphamatting",
    "alphas": "matte.datasets.folders:list_alphas",
    "backgrounds": "matte.datasets.folders:list_backgrounds",
    "ccp": "matte.datasets.clothing:list_ccp",
    "composition1k": "matte.datasets.composition:list_composition1k",
    "cutouts": "matte.datasets.folders:list_cutouts",
    "p3m10k": "matte.datasets.folders:list_p3m10k",
    "pairs": "matte.datasets.folders:list_pairs",
    "ppm100": "matte.datasets.folders:list_ppm100",
}
MAX_HEADERS_READ = 24  # of loose pictures, to tell cut-outs from backgrounds
TRUTH_FOLDERS = re.compile(r"mask|label|trimap|alpha|matt|gt|truth|annot|pred|seg", re.IGNORECASE)


def list_set(folder: Path, layout: str, classes: Sequence[str] = ()) -> Listing:
    """List what a folder holds to train on; only names are read, no file is opened.

    `layout` is a name in LAYOUTS or "auto". `classes` are the labels that are the subject, where
    the layout has several: names, numbers, or "clothing".
    """
    if not folder.is_dir():
        raise SettingError(f"no folder {folder}", "name a data set's folder")
    if layout == AUTO:
        layout = guess_layout(folder, classes)
    function: Callable[[Path, Sequence[str]], Listing] = resolve(
        "layout", {**LAYOUTS, AUTO: ""}, layout
    )
    if classes and layout != "ccp":
        raise SettingError(f"layout {layout} has no classes", "only ccp has; leave them out")
    return function(folder, classes)


def guess_layout(folder: Path, classes: Sequence[str] = ()) -> str:
    """Return the layout that a folder's content suggests; raise if it is none or more than one.

    A folder with both masks and labels is `ccp` if classes are asked for, otherwise `pairs`.
    """

    there = {child.name.lower() for child in visible_folders(folder)}

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
        or (has("train") and find_subfolder(folder / "train", "blurred_image") is not None),
        "pairs": has("images") and has("masks"),
        "ppm100": has("image") and has("matte"),
    }
    names = {name for name, fits in fitting.items() if fits}
    if "alphamatting" in names:
        names.discard("alphas")
    if {"ccp", "pairs"} <= names:
        names.discard("pairs" if classes else "ccp")
    if not names:
        names = _layouts_of_loose_pictures(folder)
    if len(names) == 1:
        return names.pop()
    which = f"could be {' or '.join(sorted(names))}" if names else "has no layout that is known"
    raise SettingError(f"{folder} {which}", "choose the layout from " + ", ".join(LAYOUTS))


def _layouts_of_loose_pictures(folder: Path) -> set[str]:
    """Return the layouts of pictures outside of known folders: cutouts, backgrounds, or both."""
    files = find_files([folder]).files
    # Masks must never be taken for backgrounds.
    if any(TRUTH_FOLDERS.search(part) for name in files for part in name.split("/")[:-1]):
        return set()
    pictures = list(files.values())
    step = -(-len(pictures) // MAX_HEADERS_READ) or 1
    transparent = {_has_transparency(path) for path in pictures[::step]} - {None}
    return {"cutouts" if one else "backgrounds" for one in transparent}


def _has_transparency(path: Path) -> bool | None:
    """Return whether a picture's header promises transparency; None if it can't be read."""
    try:
        with Pillow.open(path) as picture:
            return bool(picture.has_transparency_data)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError):
        return None
