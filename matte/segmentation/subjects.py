"""One subject among several: a confidence split into subjects, of which some are kept."""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, Confidence
from matte.configs.lengths import Length, parse_length

MIN_SUBJECT_SHARE = 0.02  # of the largest subject: what is smaller belongs to its nearest one
MAX_DISTANCE_SHARE = 0.05  # of the long side: so far from a subject a place still means it
# Of a mask or of a subject, whichever is smaller: a stroke means whom it is on, and a mask that is
# painted roughly does not mean the neighbour whom it touches.
MIN_OVERLAP_SHARE = 0.05
BOX_MARGIN_SHARE = 0.01  # of the long side, around a box: nobody draws one exactly

Labels = NDArray[Any]  # int32
Kind = Literal["largest", "centre", "at", "box", "mask"]


@dataclass(frozen=True, slots=True)
class SubjectChoice:
    """Which subjects of a picture are kept.

    "largest": `count` of them; "centre": the one nearest to the middle; "at": the one at the place
    x, y; "box": what lies in the box x, y, width, height; "mask": those that a rough mask is on, of
    the file or folder `mask`. Percentages are of the picture's width and height.
    """

    kind: Kind
    count: int = 1
    numbers: tuple[Length, ...] = ()
    mask: str = ""

    def scaled(self, factor: float) -> "SubjectChoice":
        """Return the same choice for a copy of the picture, `factor` times as large."""
        numbers = tuple(
            each if each.percent else Length(each.value * factor) for each in self.numbers
        )
        return SubjectChoice(self.kind, self.count, numbers, self.mask)

    def __str__(self) -> str:
        if self.kind == "largest":
            return str(self.count)
        places = self.mask or ",".join(map(str, self.numbers))
        return f"{self.kind}:{places}" if places else self.kind


def parse_subject(text: str) -> SubjectChoice:
    """Return the choice that a setting's text names.

    It is one of: largest, 2, centre, at:X,Y, box:X,Y,W,H, mask:FILE.
    """
    kind, _, places = text.partition(":")
    if kind == "mask":
        return SubjectChoice("mask", mask=places)
    numbers = tuple(parse_length(place) for place in places.split(",")) if places else ()
    if kind == "center":
        kind = "centre"
    if kind.isdecimal():
        return SubjectChoice("largest", int(kind))
    assert kind in ("largest", "centre", "at", "box"), f"{text!r} passed its pattern"
    return SubjectChoice(kind, 1, numbers)  # type: ignore[arg-type]  # one of them


def select_subjects(
    confidence: Confidence,
    threshold: float,
    choice: SubjectChoice,
    region: BoolArray | None = None,
) -> Confidence:
    """Return the confidence with the chosen subjects alone; what belongs to others becomes 0.

    Subjects are what the threshold leaves connected. Each pixel belongs to the nearest of them.
    `region` (H, W) is where the mask of a choice by mask is.
    """
    if choice.kind == "box":
        return _within_box(confidence, choice.numbers)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        (confidence >= threshold).astype(np.uint8), connectivity=8
    )
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count == 1:
        return confidence
    subjects = 1 + np.flatnonzero(areas >= MIN_SUBJECT_SHARE * areas.max())
    if choice.kind == "mask":
        assert region is not None, "whoever cuts the subject refuses a choice without its mask"
        chosen = overlapping_subjects(parts, subjects, areas[subjects - 1], region)
    else:
        chosen = _choose(parts, subjects, areas[subjects - 1], choice)
    if len(chosen) == len(subjects):
        return confidence
    nearest = _nearest_subjects(parts, subjects)
    return Confidence(np.where(np.isin(nearest, chosen), confidence, np.float32(0)))


def _choose(
    parts: Labels,
    subjects: NDArray[np.intp],
    areas: Labels,
    choice: SubjectChoice,
) -> NDArray[np.intp]:
    """Return the numbers of the chosen subjects among all parts."""
    if choice.kind == "largest":
        return subjects[np.argsort(-areas, kind="stable")[: choice.count]]
    height, width = parts.shape
    x, y = width / 2, height / 2
    if choice.kind == "at":
        x, y = (n.pixels(side) for n, side in zip(choice.numbers, (width, height), strict=True))
    away = [_distance(parts == subject, x, y) for subject in subjects]
    best = int(np.argmin(away))
    if choice.kind == "at" and away[best] > MAX_DISTANCE_SHARE * max(height, width):
        return subjects[:0]
    return subjects[best : best + 1]


def overlapping_subjects(
    parts: Labels, subjects: NDArray[np.intp], areas: Labels, region: BoolArray
) -> NDArray[np.intp]:
    """Return the numbers of the subjects that a region (H, W) is on.

    `parts` (H, W) holds each pixel's number, `areas` the subjects' pixels.
    """
    shared = np.bincount(parts[region], minlength=int(subjects.max()) + 1)[subjects]
    smaller = np.minimum(areas, np.count_nonzero(region))
    return subjects[shared >= np.maximum(1, MIN_OVERLAP_SHARE * smaller)]


def _distance(region: BoolArray, x: float, y: float) -> float:
    """Return how far a place is from a region, in pixels; 0 inside."""
    rows, columns = np.nonzero(region)
    return float(
        np.hypot(
            np.maximum(0, np.abs(columns + 0.5 - x) - 0.5),
            np.maximum(0, np.abs(rows + 0.5 - y) - 0.5),
        ).min()
    )


def _nearest_subjects(parts: Labels, subjects: NDArray[np.intp]) -> Labels:
    """Return for each pixel the number of the subject that is nearest to it."""
    numbers = np.where(np.isin(parts, subjects), parts, 0)
    _, labels = cv2.distanceTransformWithLabels(
        (numbers == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    # The labels are numbers of their own: each subject's pixels say which is its.
    inside = numbers > 0
    by_label = np.zeros(int(labels.max()) + 1, np.int32)
    by_label[labels[inside]] = numbers[inside]
    return np.asarray(by_label[labels])


def _within_box(confidence: Confidence, box: tuple[Length, ...]) -> Confidence:
    """Return the confidence within a box with a small margin, and 0 elsewhere."""
    part, found = box_with_margin(box, confidence.shape), np.zeros_like(confidence)
    found[part] = confidence[part]
    return Confidence(found)


def box_with_margin(box: tuple[Length, ...], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of a picture of this shape that a box takes, with a margin."""
    height, width = shape
    x, y, wide, high = (
        n.pixels(side) for n, side in zip(box, (width, height, width, height), strict=True)
    )
    margin = BOX_MARGIN_SHARE * max(height, width)
    top, bottom = (round(edge) for edge in (max(0, y - margin), max(0, y + high + margin)))
    left, right = (round(edge) for edge in (max(0, x - margin), max(0, x + wide + margin)))
    return slice(top, bottom), slice(left, right)
