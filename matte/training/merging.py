"""Masks from what several say: teachers' confidences, and a true mask where there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, BoolArray, Confidence, Trimap
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry, Sample, UnusableError
from matte.errors import OutputError, PictureError, SettingError
from matte.files import check_outputs, make_folder, write_file
from matte.media.encoding import WRITABLE, encode
from matte.media.pictures import read_alpha
from matte.training.labelling import label_file, pictures_to_label

MIN_AGREEMENT = 0.8  # IoU of what two teachers see
MIN_SUBJECT_SHARE = 0.03  # of a picture: less is no main thing
MIN_SURE_SHARE = 0.7  # of what one teacher sees at all, of which it has to be sure
SURE, FAINT = 0.85, 0.3  # a confidence that is sure, and one that is a suspicion
ALONE_SUBJECT, ALONE_BACKGROUND = 0.75, 0.25  # what one teacher alone decides
SHOWN_EVERY = 20  # of these pictures one is on the sheet


@dataclass(frozen=True, slots=True, eq=False)
class MergedLabels:
    """The names of the pictures written, those dropped with the reason, and some to look at."""

    written: tuple[str, ...]
    dropped: tuple[str, ...]
    shown: tuple[Sample, ...]

    def __str__(self) -> str:
        return f"{len(self.written)} written, {len(self.dropped)} dropped"


def merge_labels(
    folder: Path,
    labels: Sequence[Path],
    out: Path,
    *,
    masks: Path | None = None,
    agreement: float = MIN_AGREEMENT,
    sheet: Path | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> MergedLabels:
    """Write a data set (layout "pairs") of the pictures in `folder` with merged masks.

    `labels`: the folders that `label_pictures` wrote, one of each teacher. `masks`: true masks of
    the same names, some or all. Pictures are dropped where the teachers' IoU is below `agreement`,
    where one teacher alone is unsure, where the main thing is tiny, or where a label is missing.
    Nothing is written if a file of the set, or the `sheet` that the caller will write, is one of
    these or, without `overwrite`, exists.
    """
    if not labels:
        raise SettingError("no labels", "name a folder of 'matte data label'")
    pictures = pictures_to_label(folder)
    if out.resolve() == folder.resolve():
        raise OutputError(f"{out} is the folder itself", "write into another one")
    make_folder(out / "images")
    make_folder(out / "masks")
    targets = {name: _targets(name, path, out) for name, path in pictures.items()}
    outputs = [(path, (path.suffix,)) for pair in targets.values() for path in pair]
    folders = [*labels, *([masks] if masks else [])]
    sources = [label_file(each, name) for each in folders for name in pictures]
    shown_on = [(sheet, WRITABLE)] if sheet else []
    check_outputs([*outputs, *shown_on], [*pictures.values(), *sources], overwrite)
    written: list[str] = []
    dropped: list[str] = []
    shown: list[Sample] = []
    for name, path in pictures.items():
        truth = None if masks is None else label_file(masks, name)
        try:
            seen = [_read_label(label_file(each, name)) for each in labels]
            mask = _merge_checked(seen, _read_truth(name, path, truth), agreement)
        except PictureError as error:
            dropped.append(f"{name}: {error.cause}")
            progress(f"dropped {dropped[-1]}")
            continue
        mask_file, picture_file = targets[name]
        write_file(mask_file, encode(mask, ".png"), overwrite)
        write_file(picture_file, path.read_bytes(), overwrite)
        if len(written) % SHOWN_EVERY == 0:
            picture = read_sample(Entry(name, "background", path)).picture
            shown.append(Sample(name, "mask", picture, mask))
        written.append(name)
    found = MergedLabels(tuple(written), tuple(dropped), tuple(shown))
    progress(str(found))
    return found


def _targets(name: str, picture: Path, out: Path) -> tuple[Path, Path]:
    """Return the files of a picture in the new set: its mask and its copy."""
    flat = name.replace("/", "_")
    return out / "masks" / f"{flat}.png", out / "images" / f"{flat}{picture.suffix.lower()}"


def merge_masks(seen: Sequence[Confidence], truth: Trimap | None = None) -> Trimap:
    """Return 255 where the subject is, 0 where it is not, 128 where that is not to be learnt.

    Several teachers decide where all agree; one alone where it is sure. With a true mask, what the
    teachers see joins the subject where it touches it, such as what a person holds; what they see
    elsewhere, or disagree on, does not count.
    """
    subject, background = _agreed(seen)
    merged = np.full(subject.shape, UNKNOWN, np.uint8)
    merged[subject], merged[background] = SUBJECT, BACKGROUND
    if truth is None:
        return Trimap(merged)
    known = truth == SUBJECT
    _, parts = cv2.connectedComponents((subject | known).astype(np.uint8))
    touching = np.isin(parts, np.unique(parts[known])) & (parts > 0)
    out = np.where(truth == BACKGROUND, np.where(merged == BACKGROUND, 0, UNKNOWN), truth)
    out[touching & subject | known] = SUBJECT
    return Trimap(out.astype(np.uint8))


def _agreed(seen: Sequence[Confidence]) -> tuple[BoolArray, BoolArray]:
    """Return where the teachers see the subject, and where the background."""
    if len(seen) == 1:
        return seen[0] >= ALONE_SUBJECT, seen[0] <= ALONE_BACKGROUND
    each = np.stack([one >= 0.5 for one in seen])
    return np.asarray(each.all(axis=0)), np.asarray(~each.any(axis=0))


def _merge_checked(seen: Sequence[Confidence], truth: Trimap | None, agreement: float) -> Trimap:
    """Return the merged mask; raise UnusableError where it is not to be learnt from."""
    if len({one.shape for one in seen} | ({truth.shape} if truth is not None else set())) != 1:
        raise UnusableError("labels and mask differ in size", "label it again")
    if truth is None:
        _check_agreement(seen, agreement)
    mask = merge_masks(seen, truth)
    if truth is None and (mask == SUBJECT).mean() < MIN_SUBJECT_SHARE:
        raise UnusableError("the main thing is tiny, or there is none", "leave it out")
    return mask


def _check_agreement(seen: Sequence[Confidence], agreement: float) -> None:
    """Raise UnusableError where teachers disagree, or where a single one is unsure."""
    if len(seen) == 1:
        if (seen[0] > SURE).sum() < MIN_SURE_SHARE * (seen[0] > FAINT).sum():
            raise UnusableError("the teacher is unsure", "ask a second one")
        return
    each = np.stack([one >= 0.5 for one in seen])
    iou = float(each.all(axis=0).sum() / max(1, each.any(axis=0).sum()))
    if iou < agreement:
        raise UnusableError(f"the teachers disagree (IoU {iou:.2f})", "lower --agreement")


def _read_label(path: Path) -> Confidence:
    """Return a teacher's confidence."""
    if not path.is_file():
        raise UnusableError(f"no label {path}", "run 'matte data label' again")
    return Confidence(read_alpha(path))


def _read_truth(name: str, picture: Path, truth: Path | None) -> Trimap | None:
    """Return the true mask of a picture; None if there is none."""
    if truth is None or not truth.is_file():
        return None
    return Trimap(read_sample(Entry(name, "mask", picture, truth)).truth)
