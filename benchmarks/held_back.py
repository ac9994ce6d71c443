"""The pictures that a recipe held back, and folders of them as `matte eval` reads them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.datasets.samples import Entry
from matte.errors import SettingError
from matte.files import write_file
from matte.media.encoding import encode
from matte.training.collection import collect
from matte.training.modnet_settings import ModnetSettings
from matte.training.recipes import read_recipe
from matte.training.settings import Collecting, DataSet, RefinerSettings, SegmenterSettings
from matte.weights.store import stored

AnyRecipe = SegmenterSettings | RefinerSettings | ModnetSettings
RECIPES: dict[str, type[AnyRecipe]] = {
    "segmenter": SegmenterSettings,
    "refiner": RefinerSettings,
    "modnet": ModnetSettings,
}
TRIMAPS = ("trimap1", "trimap2")  # folders, where a set comes with trimaps


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A set's pictures that a recipe never trained on, all of one kind.

    `name`: the set's folder as recipes name it. `folder`: where it is.
    """

    name: str
    folder: Path
    entries: tuple[Entry, ...]

    @property
    def with_mattes(self) -> bool:
        """Whether the truths are alphas; or else masks."""
        return self.entries[0].kind == "alpha"

    @property
    def with_subject(self) -> bool:
        """Whether any of the pictures has a subject."""
        return any((read(entry).truth == SUBJECT).any() for entry in self.entries)


def held_back(name: str, data: Path, pictures: int = 0) -> list[HeldBack]:
    """The sets with truth of which the network's recipe holds something back, mattes first.

    Of each set at most `pictures`; 0: all.
    """
    weights = stored(name)
    if not weights.recipe:
        raise SettingError(f"{name!r} has no recipe", "write it into its manifest")
    recipe: AnyRecipe = read_recipe(RECIPES[weights.kind], weights.recipe)
    names = _held_names(recipe.data, recipe.collect, data)
    found = []
    for chosen in recipe.data:
        listing = list_set(data / chosen.folder, chosen.layout, chosen.classes)
        held = [e for e in listing.entries if (chosen.folder, e.name) in names and e.truth]
        if held:
            found.append(
                HeldBack(chosen.folder, data / chosen.folder, tuple(held[: pictures or None]))
            )
    return sorted(found, key=lambda held: not held.with_mattes)


@lru_cache
def _held_names(
    data: tuple[DataSet, ...], collecting: Collecting, root: Path
) -> frozenset[tuple[str, str]]:
    """Folder and name of every picture that such a training would hold back."""
    every = replace(collecting, validation_pictures=2**31)
    return frozenset((f, s.name) for f, s in collect(data, every, root, print).validation)


@contextmanager
def eval_folder(held: HeldBack) -> Iterator[Path]:
    """A folder as `matte eval` reads it, with the pictures at their stored size and the trimaps
    that came with them.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pictures, truths = ("input", "gt") if held.with_mattes else ("images", "masks")
        for entry in held.entries:
            sample = read(entry)
            _save(folder / pictures, entry, sample.picture)
            _save(folder / truths, entry, sample.truth)
            for name in TRIMAPS:
                trimap = held.folder / name / f"{entry.picture.stem}.png"
                if trimap.is_file():
                    (folder / name).mkdir(exist_ok=True)
                    shutil.copy(trimap, folder / name / f"{_file(entry)}.png")
        yield folder


def _save(folder: Path, entry: Entry, array: NDArray[np.uint8]) -> None:
    folder.mkdir(exist_ok=True)
    write_file(folder / f"{_file(entry)}.png", encode(array, ".png"))


def _file(entry: Entry) -> str:
    return entry.name.replace("/", "-")
