"""Which subject of a clip is meant, and from when on: `at:30%,50%@2.5`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from matte.arrays import BoolArray
from matte.configs.settings import Config, SegmentationSettings
from matte.configs.times import format_time, parse_time
from matte.errors import SettingError
from matte.limits import DEFAULT_MAX_PIXELS
from matte.pipeline.subject_masks import read_subject_mask
from matte.segmentation.subjects import SubjectChoice, parse_subject

ALL = "all"
# A mask's inner radius to the root of its area, from which it is a shape and not a stroke: a disc
# has 0.56, a stroke ten times as long as wide 0.16; of 58 masks of people, horses and things the
# least round one has 0.174, 5 % have less than 0.235.
MIN_SHAPE_ROUNDNESS = 0.17


@dataclass(frozen=True, slots=True, eq=False)
class TimedChoice:
    """Which subjects are meant from a time on, in seconds after the clip's first frame.

    `choice` None: all of them. `region` is where the mask of a choice by mask is, in any size.
    """

    choice: SubjectChoice | None
    seconds: float = 0.0
    region: BoolArray | None = None

    def __str__(self) -> str:
        text = ALL if self.choice is None else str(self.choice)
        return f"{text}@{format_time(self.seconds)}" if self.seconds else text

    @property
    def is_stroke(self) -> bool:
        """Whether its mask is a stroke on the subject rather than its shape."""
        if self.region is None:
            return False
        inside = cv2.distanceTransform(self.region.astype(np.uint8), cv2.DIST_L2, 5)
        return bool(
            inside.max() - 0.5 < MIN_SHAPE_ROUNDNESS * np.sqrt(np.count_nonzero(self.region))
        )


def parse_choices(
    texts: Sequence[str], shape: tuple[int, int], max_pixels: int = DEFAULT_MAX_PIXELS
) -> tuple[TimedChoice, ...]:
    """Return the choices that texts name, the earliest first; masks are read now.

    `shape` is the height and width of the clip's frames. None of the texts: all subjects are kept.
    """
    parsed = [_parse(text, shape, max_pixels) for text in texts]
    parsed.sort(key=lambda each: each.seconds)
    for one, other in pairwise(parsed):
        if one.seconds == other.seconds:
            cause = f"--subject {one} and {other} begin at the same time"
            raise SettingError(cause, f"say when the second begins: {other}@2.5")
    if all(each.choice is None for each in parsed):
        return ()
    return tuple(parsed)


def settings_choices(config: Config, shape: tuple[int, int]) -> tuple[TimedChoice, ...]:
    """Return whom the settings choose in a clip whose frames have this height and width."""
    subject = config.segmentation.subject
    return parse_choices([subject], shape, config.media.max_pixels) if subject else ()


def _parse(text: str, shape: tuple[int, int], max_pixels: int) -> TimedChoice:
    """Return the choice that a text names, with its time behind an @ if it has one."""
    words, seconds = _split_time(text)
    if words == ALL:
        return TimedChoice(None, seconds)
    SegmentationSettings(subject=words)  # raises if it is no choice
    choice = parse_subject(words)
    if choice.kind != "mask":
        return TimedChoice(choice, seconds)
    if Path(choice.mask).is_dir():
        raise SettingError(f"subject = {text}: {choice.mask} is a folder", "name one mask")
    return TimedChoice(choice, seconds, read_subject_mask(choice.mask, shape, max_pixels).region)


def _split_time(text: str) -> tuple[str, float]:
    """Return a choice's text and its time; a file's name may have an @, too."""
    words, at, time = text.rpartition("@")
    if not at or (text.startswith("mask:") and Path(text.partition(":")[2]).exists()):
        return text, 0.0
    return words, parse_time(time)
