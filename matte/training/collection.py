"""The pictures of a run, read once, held in memory and split into training and validation."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from matte.datasets.duplicates import difference_hashes, duplicate_families
from matte.datasets.finding import find_subfolder
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry, Kind, Sample, UnusableError
from matte.errors import SettingError
from matte.training.settings import CollectionSettings, DataSet

LineReport = Callable[[str], None]  # called with each line that a run reports
SetPictures = tuple[DataSet, list[tuple[Entry, Sample]]]
MIN_VALIDATION_PICTURES = 5  # fewer are told to be too few


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

    def training_pictures(self, kind: Kind) -> list[Sample]:
        """Return all pictures of a kind to train on, repeated by the weights of their sets.

        Drawing any of the list is as likely to draw from a set as its weight says.
        """
        sets = [(d.weight, [s for s in samples if s.kind == kind]) for d, samples in self.sets]
        chances = [(weight / len(found), found) for weight, found in sets if weight and found]
        least = min((chance for chance, _ in chances), default=1.0)
        return [s for chance, found in chances for s in round(chance / least) * found]


def collect_pictures(
    data: Sequence[DataSet], settings: CollectionSettings, root: Path, progress: LineReport
) -> Collection:
    """Read every picture of the data sets below `root`; the unusable are named and skipped.

    A root that holds none of these sets, but images/ and masks/ (or alphas/) itself, is the only
    set.
    """
    skipped: list[str] = []

    def skip(path: Path, why: str) -> None:
        skipped.append(f"{path}: {why}")
        progress(f"skipped {path}: {why}")

    pictures = [
        (one, _read_set(one, root, settings.longest, skip))
        for one in data_sets_below(root, data, progress)
    ]
    held_back = iter(_held_back_flags(pictures, settings.held_back))
    sets, validation = [], []
    for one, found in pictures:
        training = []
        for _, sample in found:
            if not next(held_back):
                training.append(sample)
            elif sample.kind != "cutout":  # material, of which nothing real can be judged
                folder = root.resolve().name if one.folder == "." else one.folder
                validation.append((folder, sample))
        if one.weight > 0 and not training:
            why = (
                f"all {len(found)} are held back: lower held_back, or give more"
                if found
                else f"is its layout {one.layout}?"
            )
            raise SettingError(f"no training picture in {root / one.folder}", why)
        sets.append((one, tuple(training)))
    validation.sort(key=lambda pair: name_fraction(pair[1].name))
    del validation[settings.validation_pictures :]
    progress(
        f"{sum(len(training) for _, training in sets)} pictures to train on,"
        f" {len(validation)} to validate, {len(skipped)} skipped"
    )
    if 0 < len(validation) < MIN_VALIDATION_PICTURES:
        progress(
            f"so few pictures say little of which network is the best: give more, or a held_back"
            f" of more than {settings.held_back:g}"
        )
    return Collection(tuple(sets), tuple(validation), tuple(skipped))


def data_sets_below(
    root: Path, data: Sequence[DataSet], progress: LineReport
) -> tuple[DataSet, ...]:
    """Return the recipe's data sets below a folder, or a user's folder as the only set.

    The latter if it holds none of them but images/ and masks/ (or alphas/).
    """
    if any((root / one.folder).is_dir() for one in data) or not root.is_dir():
        return tuple(data)
    for layout, truths in (("pairs", "masks"), ("alphas", "alphas")):
        if find_subfolder(root, "images") and find_subfolder(root, truths):
            progress(
                f"{root} has none of the recipe's data sets: its images/ and {truths}/ are used"
            )
            return (DataSet(".", layout),)
    return tuple(data)


def shift_picture(sample: Sample, shift: Sequence[float]) -> Sample:
    """Return the sample with its picture, but not its truth, moved right and down.

    The shift is in thousandths of the longer side.
    """
    if not any(shift):
        return sample
    right, down = (part / 1000 * max(sample.truth.shape) for part in shift)
    move = np.array([[1, 0, right], [0, 1, down]], np.float64)
    size = (sample.truth.shape[1], sample.truth.shape[0])
    picture = cv2.warpAffine(sample.picture, move, size, borderMode=cv2.BORDER_REPLICATE)
    return replace(sample, picture=np.asarray(picture, np.uint8))


def name_fraction(name: str) -> float:
    """Return a number in 0 … 1 that only depends on the name: the same split on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def _read_set(
    data: DataSet, root: Path, longest: int, skip: Callable[[Path, str], None]
) -> list[tuple[Entry, Sample]]:
    """Return the usable pictures of a set; `skip` is called with the path of each other and why."""
    folder = root / data.folder
    if not folder.is_dir():
        raise SettingError(
            f"no folder {folder}",
            "name with --data the folder that holds the recipe's [[data]] folders, or one with"
            " images/ and masks/ of your own",
        )
    listing = list_set(folder, data.layout, data.classes)
    for path, why in listing.broken:
        skip(path, why)
    found = []
    for entry in listing.entries:
        if entry.name in data.exclude:
            continue
        try:
            found.append((entry, shift_picture(read_sample(entry, longest), data.shift)))
        except UnusableError as error:
            skip(entry.picture, str(error))
    return found


def _held_back_flags(pictures: Sequence[SetPictures], share: float) -> list[bool]:
    """Return for each picture whether it is held back: with one go all that are nearly equal."""
    flags, samples = [], []
    for data, found in pictures:
        part = share if data.held_back < 0 else data.held_back
        for entry, sample in found:
            is_chosen = name_fraction(entry.group or entry.name) < part
            flags.append(sample.kind != "cutout" and is_chosen)
            samples.append(sample)
    first = duplicate_families(difference_hashes(sample.picture for sample in samples))
    held_families = {family for family, is_held in zip(first, flags, strict=True) if is_held}
    return [family in held_families for family in first]
