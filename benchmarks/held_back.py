"""Which pictures a recipe holds back or trains on, and folders of them for `matte eval`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, Image
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry
from matte.errors import SettingError
from matte.files import write_file
from matte.media.encoding import encode
from matte.training.collection import collect_pictures, name_fraction
from matte.training.modnet_settings import ModnetRecipe
from matte.training.recipes import read_recipe
from matte.training.settings import CollectionSettings, DataSet, RefinerRecipe, SegmenterRecipe
from matte.weights.store import weights_named

AnyRecipe = SegmenterRecipe | RefinerRecipe | ModnetRecipe
RECIPES: dict[str, type[AnyRecipe]] = {
    "segmenter": SegmenterRecipe,
    "refiner": RefinerRecipe,
    "modnet": ModnetRecipe,
}
TRIMAPS = ("trimap1", "trimap2")  # folders, where a set comes with trimaps


@dataclass(frozen=True, slots=True)
class HeldBackSet:
    """A set's pictures that a recipe never trained on, all of one kind.

    `name`: the set's folder as recipes name it. `folder`: where it is.
    """

    name: str
    folder: Path
    entries: tuple[Entry, ...]

    @property
    def has_alphas(self) -> bool:
        """Whether the truths are alphas; or else masks."""
        return self.entries[0].kind == "alpha"

    @property
    def has_subject(self) -> bool:
        """Whether any of the pictures has a subject."""
        return any((read_sample(entry).truth == SUBJECT).any() for entry in self.entries)


def recipe_of(name: str) -> AnyRecipe:
    """Return the recipe that a stored network was trained by."""
    weights = weights_named(name)
    if not weights.recipe:
        raise SettingError(f"{name!r} has no recipe", "write it into its manifest")
    return read_recipe(RECIPES[weights.kind], weights.recipe)


def held_back(name: str, data: Path, pictures: int = 0) -> list[HeldBackSet]:
    """Return the sets with truth of which a network's recipe holds something back, mattes first.

    Of each set at most `pictures`; 0: all.
    """
    recipe = recipe_of(name)
    names = _held_names(recipe.data, recipe.collect, data)
    found = []
    for chosen in recipe.data:
        listing = list_set(data / chosen.folder, chosen.layout, chosen.classes)
        held = [e for e in listing.entries if (chosen.folder, e.name) in names and e.truth]
        if held:
            entries = tuple(held[: pictures or None])
            found.append(HeldBackSet(chosen.folder, data / chosen.folder, entries))
    return sorted(found, key=lambda held: not held.has_alphas)


@lru_cache
def _held_names(
    data: tuple[DataSet, ...], collecting: CollectionSettings, root: Path
) -> frozenset[tuple[str, str]]:
    """Return folder and name of every picture that such a training would hold back."""
    unlimited = replace(collecting, validation_pictures=2**31)
    return frozenset(
        (f, s.name) for f, s in collect_pictures(data, unlimited, root, print).validation
    )


def trained_on(name: str, data: Path, pictures: int) -> list[Image]:
    """Return so many pictures that a network's recipe trains on, of each set by its weight."""
    recipe = recipe_of(name)
    sets = [
        (chosen.weight, [s for s in samples if s.kind in ("mask", "alpha")])
        for chosen, samples in collect_pictures(recipe.data, recipe.collect, data, print).sets
    ]
    whole = sum(weight for weight, samples in sets if samples)
    found = []
    for weight, samples in sets:
        count = round(pictures * weight / whole) if samples else 0
        first = sorted(samples, key=lambda sample: name_fraction(sample.name))[:count]
        found += [Image(sample.picture) for sample in first]
    return found


@contextmanager
def eval_folder(held: HeldBackSet) -> Iterator[Path]:
    """Make a folder as `matte eval` reads it, with the pictures at their stored size and the
    trimaps that came with them.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pictures, truths = ("input", "gt") if held.has_alphas else ("images", "masks")
        for entry in held.entries:
            sample = read_sample(entry)
            _save(folder / pictures, entry, sample.picture)
            _save(folder / truths, entry, sample.truth)
            for name in TRIMAPS:
                trimap = held.folder / name / f"{entry.picture.stem}.png"
                if trimap.is_file():
                    (folder / name).mkdir(exist_ok=True)
                    shutil.copy(trimap, folder / name / f"{_file_stem(entry)}.png")
        yield folder


def _save(folder: Path, entry: Entry, array: NDArray[np.uint8]) -> None:
    folder.mkdir(exist_ok=True)
    write_file(folder / f"{_file_stem(entry)}.png", encode(array, ".png"))


def _file_stem(entry: Entry) -> str:
    return entry.name.replace("/", "-")
