"""How well a segmenter does: intersection over union on pictures it was not trained on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from matte.arrays import SUBJECT, UNKNOWN, Image
from matte.configs.settings import RuntimeSettings, SegmentationSettings
from matte.errors import PictureError
from matte.runtime.session import open_session
from matte.segmentation.letterboxed import KIND, LetterboxedSegmenter
from matte.training.augmentation import whole
from matte.training.pictures import Bytes, Labelled, read_alpha, read_pair
from matte.weights.store import find

BATCH = 8


def validate(
    network: nn.Module, pictures: Iterable[tuple[str, Labelled]], size: int
) -> dict[str, float]:
    """ "iou" over all pixels, "loss", and per set "iou SET" or, for one without any subject,
    "false SET": the share of pixels taken for the subject. NaN-free: an empty set is left out.
    """
    place = next(network.parameters()).device
    was_training = network.training
    network.eval()
    counts: dict[str, NDArray[np.int64]] = {}
    loss = []
    items = list(pictures)
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        boxed = [whole(item.picture, item.label, size) for _, item in part]
        stack = torch.from_numpy(np.stack([picture for picture, _ in boxed])).to(place)
        with torch.inference_mode():
            logits = network(stack.permute(0, 3, 1, 2).float().div_(255))[:, 0].cpu().numpy()
        for (name, _), logit, (_, label) in zip(part, logits, boxed, strict=True):
            counts[name] = counts.get(name, np.zeros(4, np.int64)) + confusion(logit > 0, label)
            counted = label != UNKNOWN
            margin = np.where(label == SUBJECT, logit, -logit)[counted]
            loss.append(float(np.logaddexp(0, -margin).mean()) if counted.any() else 0.0)
    network.train(was_training)
    metrics = {"iou": iou(sum(counts.values(), np.zeros(4, np.int64)))}
    metrics["loss"] = float(np.mean(loss)) if loss else 0.0
    for name, (hit, false, missed, right) in sorted(counts.items()):
        if hit + missed:
            metrics[f"iou {name}"] = iou(counts[name])
        else:
            metrics[f"false {name}"] = float(false / max(1, false + right))
    return metrics


def confusion(found: NDArray[np.bool_], label: Bytes) -> NDArray[np.int64]:
    """Pixels found rightly, found wrongly, missed, and left out rightly; label 128 not counted."""
    subject, counted = label == SUBJECT, label != UNKNOWN
    return np.array(
        [
            (found & subject).sum(),
            (found & ~subject & counted).sum(),
            (~found & subject).sum(),
            (~found & ~subject & counted).sum(),
        ],
        np.int64,
    )


def iou(counts: NDArray[np.int64]) -> float:
    """Intersection over union of the subject; 1 where there is none and none was found."""
    hit, false, missed, _ = (int(c) for c in counts)
    return hit / (hit + false + missed) if hit + false + missed else 1.0


@dataclass(frozen=True, slots=True)
class FolderScores:
    """How well an exported segmenter does on a folder.

    `iou`: the mean over the pictures of the subject's intersection over union; `miou`: the same,
    averaged with the background's; `per_picture`: the subject's, by name.
    """

    pictures: int
    iou: float
    miou: float
    per_picture: dict[str, float]


def evaluate_folder(network: Path, folder: Path) -> FolderScores:
    """Scores of an ONNX segmenter on a folder that it was not trained on, at the pictures' size.

    `folder` has images/ and masks/ (255 subject, 0 background, 128 not counted), or input/ and
    gt/ with alpha mattes, of which 0.5 and above is the subject.
    """
    segmenter = _opened(network)
    scores: dict[str, float] = {}
    background = []
    for item in _truths(folder):
        found = segmenter.segment(Image(item.picture)) == SUBJECT
        counts = confusion(found, item.label)
        scores[item.name] = iou(counts)
        # The background's view of the same counts: what was right for one is right for the other.
        background.append(iou(counts[[3, 2, 1, 0]]))
    if not scores:
        raise PictureError(f"no pictures with truth in {folder}", "give images/ and masks/")
    subject = float(np.mean(list(scores.values())))
    return FolderScores(
        len(scores),
        subject,
        (subject + float(np.mean(background))) / 2,
        dict(sorted(scores.items())),
    )


def _opened(network: Path) -> LetterboxedSegmenter:
    session = open_session(find(KIND, str(network)).path, RuntimeSettings())
    return LetterboxedSegmenter(session, SegmentationSettings())


def _truths(folder: Path) -> Iterator[Labelled]:
    """The pictures of a folder at full size with their labels."""
    full = 2**31
    if (folder / "images").is_dir():
        for path in sorted((folder / "images").iterdir()):
            yield read_pair(path, full)
    else:
        for path in sorted((folder / "input").iterdir()):
            yield read_alpha(path, full)
