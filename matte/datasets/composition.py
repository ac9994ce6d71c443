"""Composition-1k: foregrounds with their alphas, and the official scripts' composites of them.

N. Xu et al., "Deep Image Matting", CVPR 2017: 431 foregrounds to train on, each on 100 backgrounds,
and 50 to test with, each on 20.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from matte.datasets.finding import Broken, FoundFiles, find_files, find_subfolder, visible_folders
from matte.datasets.samples import Entry, Listing
from matte.errors import SettingError

NUMBERED = re.compile(r"(.+)_\d+")
PARTS = ("Adobe-licensed images", "Other")


def list_composition1k(folder: Path, _classes: Sequence[str] = ()) -> Listing:
    """List composites of merged/ with their foreground's alpha, other foregrounds as cut-outs.

    The folders fg/, alpha/, merged/ and alpha_copy/ (the alphas, once per composite) lie in
    `folder` or in the parts that the set is shipped in. Of the whole set the Training_set is
    listed; the Test_set when it is named itself.
    """
    whole = find_subfolder(folder, "Combined_Dataset") or folder
    chosen = find_subfolder(whole, "Training_set", "Test_set") or whole
    parts = [chosen, *(p for p in visible_folders(chosen) if p.name in PARTS)]
    foregrounds, alphas, composites, copies = (
        find_files(find_subfolder(part, name) for part in parts)
        for name in ("fg", "alpha", "merged", "alpha_copy")
    )
    if not (alphas.files or copies.files):
        raise SettingError(
            f"no alpha/ with pictures in {chosen}", "name the data set's folder, or its layout"
        )
    entries: list[Entry] = []
    broken = [*foregrounds.broken, *alphas.broken, *composites.broken, *copies.broken]
    known = {**copies.files, **alphas.files}
    done: set[str] = set()
    for name, path in composites.files.items():
        owner = _foreground_name(name, foregrounds.files, known)
        truth = copies.files.get(name) or alphas.files.get(name) or alphas.files.get(owner)
        done.add(owner)
        if truth:
            entries.append(Entry(name, "alpha", path, truth, group=owner))
        else:
            broken.append((path, "no alpha of this name or of its foreground's"))
    for name, path in foregrounds.files.items():
        if name in done:
            continue
        done.add(name)
        truth = alphas.files.get(name) or known.get(f"{name}_0")
        if truth:
            entries.append(Entry(name, "cutout", path, truth, group=name))
        else:
            broken.append((path, "no alpha of this name"))
    broken += _alphas_without_picture(alphas, foregrounds.files, known, done)
    return Listing(tuple(entries), tuple(broken))


def _foreground_name(name: str, foregrounds: Collection[str], alphas: Collection[str]) -> str:
    """Return the name of a composite's foreground: `name` itself, or `name` without _NUMBER."""
    numbered = NUMBERED.fullmatch(name)
    if name in foregrounds or not numbered:
        return name
    owner = numbered[1]
    known = owner in foregrounds or owner in alphas or f"{owner}_0" in alphas
    return owner if known else name


def _alphas_without_picture(
    alphas: FoundFiles, foregrounds: Collection[str], known: Collection[str], done: Collection[str]
) -> list[Broken]:
    """Return the alphas that belong to no foreground and no composite, each with the reason."""
    return [
        (path, "no picture of this name")
        for name, path in alphas.files.items()
        if name not in done and _foreground_name(name, foregrounds, known) not in done
    ]
