"""What a matte shows: how many subjects, how large they are, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from matte.arrays import Alpha
from matte.segmentation.subjects import MIN_SUBJECT_SHARE

MAX_LONG_SIDE = 800  # pixels of the copy that is looked at
MAX_BYSTANDER_SHARE = 0.25  # of the largest subject: what is larger belongs to a group
MIN_BYSTANDER_DISTANCE = 0.05  # of the long side, from the largest subject


@dataclass(frozen=True, slots=True)
class SeenSubject:
    """One subject of a matte: its part of the picture, and its box in pixels.

    `box` is x, y, width, height. `is_apart`: whether it is small and far from the largest one.
    """

    share: float
    box: tuple[int, int, int, int]
    is_apart: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the subject in plain JSON values."""
        found = {"share": round(self.share, 4), "box": list(self.box)}
        return {**found, "apart": True} if self.is_apart else found


def seen_subjects(alpha: Alpha) -> list[SeenSubject]:
    """Return the subjects of an alpha (H, W), the largest first.

    A subject is what is connected where alpha is one half or more.
    """
    height, width = alpha.shape
    step = max(1, -(-max(height, width) // MAX_LONG_SIDE))
    inside = (alpha[::step, ::step] >= 0.5).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size:
        return []
    order = np.argsort(-areas, kind="stable")
    order = order[areas[order] >= MIN_SUBJECT_SHARE * areas[order[0]]]
    far = MIN_BYSTANDER_DISTANCE * max(inside.shape)
    distance = cv2.distanceTransform((parts != 1 + order[0]).view(np.uint8), cv2.DIST_L2, 5)
    found = []
    for number in order:
        x, y, wide, high, area = (int(value) for value in stats[1 + number])
        is_apart = (
            area < MAX_BYSTANDER_SHARE * areas[order[0]]
            and distance[parts == 1 + number].min() > far
        )
        box = (x * step, y * step, min(wide * step, width), min(high * step, height))
        found.append(SeenSubject(area / inside.size, box, bool(is_apart)))
    return found


def bystander_hint(report: dict[str, Any]) -> str:
    """Return what to do about small subjects far from the largest one, by a picture's report.

    Empty where there are none, or the user has chosen among the subjects.
    """
    count = sum(subject.get("apart", False) for subject in report.get("subjects", ()))
    if not count or report["settings"]["subject"] != "all":
        return ""
    what = "1 small subject" if count == 1 else f"{count} small subjects"
    return f"{what} far from the largest one stayed: --subject largest leaves the others out"


def describe_subjects(subjects: Sequence[dict[str, Any]]) -> str:
    """Return in words what a report says of the subjects.

    >>> describe_subjects([{"share": 0.3}, {"share": 0.02}])
    '2 subjects: 30.0 % and 2.0 % of the picture'
    """
    if not subjects:
        return "no subject"
    shares = [f"{100 * subject['share']:.1f} %" for subject in subjects]
    if len(shares) == 1:
        return f"1 subject: {shares[0]} of the picture"
    return f"{len(shares)} subjects: {', '.join(shares[:-1])} and {shares[-1]} of the picture"
