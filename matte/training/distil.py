"""Mattes for pictures that only have masks: a pipeline's, where it agrees with the mask."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, Mask, Trimap
from matte.datasets.layouts import list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Listing, Sample, UnusableError
from matte.errors import OutputError, SettingError
from matte.files import make_folder, write_file
from matte.media.encoding import encode, encode_alpha
from matte.metrics.masks import subject_iou
from matte.stages import Matte
from matte.training.collection import LineReport
from matte.training.settings import DataSet, require_between

MIN_AGREEMENT_IOU = 0.9


class Teacher(Protocol):
    """A pipeline that mattes pictures, such as `matte.load("best")`."""

    def __call__(self, image: NDArray[Any]) -> Matte:
        """Return the matte of an RGB picture."""
        ...


@dataclass(frozen=True, slots=True)
class Distilled:
    """The outcome of a distillation: which pictures were written, there before or dropped.

    They are names; dropped are those where teacher and mask disagree. Lines say what was unusable.
    """

    written: tuple[str, ...]
    present: tuple[str, ...]
    dropped: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.written)} written, {len(self.present)} there before, {len(self.dropped)}"
            f" dropped: teacher and mask disagree, {len(self.skipped)} unusable"
        )


def distil(
    teacher: Teacher,
    data: DataSet,
    root: Path,
    out: Path,
    *,
    agreement: float = MIN_AGREEMENT_IOU,
    longest: int = 0,
    progress: LineReport = lambda _: None,
) -> Distilled:
    """Write a teacher's mattes of a data set with masks as a data set with alphas.

    The files are images/NAME.jpg and alphas/NAME.png (layout "alphas") in the folder `out`.

    `data`: a set of masks below `root`; its `classes` and `exclude` count. `agreement`: the least
    IoU of the teacher's alpha, cut at a half, with the mask; where the mask is 128 it has no say.
    `longest` > 0: the long side to which pictures are shrunk before. What is there already is left
    alone, so that an interrupted run can be repeated.
    """
    require_between(0, 1, agreement=agreement)
    listing = _list_masks(root / data.folder, data, out)
    skipped = [f"{path}: {why}" for path, why in listing.broken]
    for line in skipped:
        progress(f"skipped {line}")
    written, present, dropped = [], [], []
    entries = [entry for entry in listing.entries if entry.name not in data.exclude]
    for done, entry in enumerate(entries, 1):
        name = entry.name.replace("/", "_")
        picture, alpha = out / "images" / f"{name}.jpg", out / "alphas" / f"{name}.png"
        if picture.is_file() and alpha.is_file():
            present.append(entry.name)
            continue
        if picture.is_file():  # distil writes it last: this one is somebody else's
            raise OutputError(f"{picture} exists without a matte", "write into another folder")
        try:
            sample = read_sample(entry, longest)
        except UnusableError as error:
            skipped.append(f"{entry.picture}: {error}")
            progress(f"skipped {skipped[-1]}")
            continue
        stream = encode(sample.picture, ".jpg")
        matte = teacher(sample.picture)
        iou, usable = _compare(matte, sample, agreement)
        line = f"{done} of {len(entries)}: {entry.name}, IoU {iou:.3f}"
        if usable:
            # The picture comes last: only with it, the pair is whole.
            write_file(alpha, encode_alpha(matte.alpha, ".png"), overwrite=True)
            write_file(picture, stream)
            written.append(entry.name)
            progress(line)
        else:
            dropped.append(entry.name)
            progress(f"{line}: dropped")
    found = Distilled(tuple(written), tuple(present), tuple(dropped), tuple(skipped))
    progress(str(found))
    return found


def _list_masks(folder: Path, data: DataSet, out: Path) -> Listing:
    """List the data set in `folder` and make the folders to write into.

    Raises if it holds no masks or if `out` is the set itself.
    """
    listing = list_set(folder, data.layout, data.classes)
    if any(entry.kind != "mask" for entry in listing.entries):
        raise SettingError(f"{folder} holds no masks", "give a set of layout pairs")
    if out.resolve() == folder.resolve():
        raise OutputError(f"{out} is the data set itself", "write the mattes into another folder")
    for subfolder in (out / "images", out / "alphas"):
        make_folder(subfolder)
    return listing


def _compare(matte: Matte, sample: Sample, agreement: float) -> tuple[float, bool]:
    """Return the IoU of a teacher's matte with the sample's mask, and whether to train on it."""
    mask = Mask(np.where(matte.alpha >= 0.5, SUBJECT, 0).astype(np.uint8))
    iou = subject_iou(mask, Trimap(sample.truth))
    # Without a subject, agreement is an empty picture: nothing to learn an edge from. And what
    # a MODNet took over for the teacher would teach it its own mistakes.
    return iou, bool(iou >= agreement and mask.any() and "fallback" not in matte.report)
