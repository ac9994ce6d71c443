"""The pictures of a run, read once, kept in memory and split into training and validation."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from matte.datasets.duplicates import families, hashes
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.datasets.samples import Entry, Sample, UnusableError
from matte.errors import SettingError
from matte.training.settings import Collecting, DataSet

LineReport = Callable[[str], None]  # called with each line that a run reports


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """All the pictures of a run.

    `sets`: per data set its settings and the pictures to train on. `validation`: pictures that are
    never trained on, nor anything nearly equal to them, with their set's folder. `skipped`: what
    could not be used, and why.
    """

    sets: tuple[tuple[DataSet, tuple[Sample, ...]], ...]
    validation: tuple[tuple[str, Sample], ...]
    skipped: tuple[str, ...]

    def kind(self, kind: str) -> list[Sample]:
        """All pictures to train on of that kind; those of a set with a larger weight again and
        again, so that drawing any of the list is as likely to draw from a set as its weight says.
        """
        sets = [(d.weight, [s for s in samples if s.kind == kind]) for d, samples in self.sets]
        chances = [(weight / len(found), found) for weight, found in sets if weight and found]
        least = min((chance for chance, _ in chances), default=1.0)
        return [s for chance, found in chances for s in round(chance / least) * found]


def collect(
    data: Sequence[DataSet], settings: Collecting, root: Path, progress: LineReport
) -> Collection:
    """Every picture of the data sets below `root`; the unusable are named and skipped."""
    skipped: list[str] = []

    def skip(path: Path, why: str) -> None:
        skipped.append(f"{path}: {why}")
        progress(f"skipped {path}: {why}")

    read_sets: list[tuple[DataSet, list[tuple[Entry, Sample]]]] = []
    for chosen in data:
        folder = root / chosen.folder
        if not folder.is_dir():
            raise SettingError(f"no folder {folder}", "check --data and the [[data]] folders")
        listing = list_set(folder, chosen.layout, chosen.classes)
        for path, why in listing.broken:
            skip(path, why)
        found = []
        for entry in listing.entries:
            if entry.name in chosen.exclude:
                continue
            try:
                found.append((entry, moved(read(entry, settings.longest), chosen.shift)))
            except UnusableError as error:
                skip(entry.picture, str(error))
        read_sets.append((chosen, found))
    sides = _sides([(d, e, s) for d, found in read_sets for e, s in found], settings.held_back)
    sets, held_back = [], []
    for chosen, found in read_sets:
        kept = []
        for _, sample in found:
            if not next(sides):
                kept.append(sample)
            elif sample.kind != "cutout":  # material, of which nothing real can be judged
                held_back.append((chosen.folder, sample))
        if chosen.weight > 0 and not kept:
            why = (
                f"all {len(found)} are held back: lower held_back, or give more"
                if found
                else f"is its layout {chosen.layout}?"
            )
            raise SettingError(f"no training picture in {root / chosen.folder}", why)
        sets.append((chosen, tuple(kept)))
    held_back.sort(key=lambda pair: fraction(pair[1].name))
    validation = tuple(held_back[: settings.validation_pictures])
    trained = sum(len(kept) for _, kept in sets)
    progress(
        f"{trained} pictures to train on, {len(validation)} to validate, {len(skipped)} skipped"
    )
    return Collection(tuple(sets), validation, tuple(skipped))


def moved(sample: Sample, shift: Sequence[float]) -> Sample:
    """The sample with its picture moved right and down, in thousandths of the longer side."""
    if not any(shift):
        return sample
    right, down = (part / 1000 * max(sample.truth.shape) for part in shift)
    move = np.array([[1, 0, right], [0, 1, down]], np.float64)
    size = (sample.truth.shape[1], sample.truth.shape[0])
    picture = cv2.warpAffine(sample.picture, move, size, borderMode=cv2.BORDER_REPLICATE)
    return replace(sample, picture=np.asarray(picture, np.uint8))


def fraction(name: str) -> float:
    """A number in 0 … 1 that only depends on the name: the same split on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def _sides(found: list[tuple[DataSet, Entry, Sample]], share: float) -> Iterator[bool]:
    """For each picture whether it is held back: with one go all that are nearly equal to it."""
    held = []
    for data, entry, sample in found:
        part = share if data.held_back < 0 else data.held_back
        held.append(sample.kind != "cutout" and fraction(entry.group or entry.name) < part)
    first = families(hashes(sample.picture for _, _, sample in found))
    held_families = {family for family, is_held in zip(first, held, strict=True) if is_held}
    return (family in held_families for family in first)
