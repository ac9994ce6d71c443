from typing import Any

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.frames import FrameInProgress
from matte.clips.late_alphas import stabilise_frames
from matte.media.video.clip import BrokenFrame, Frame

PIXEL = Image(np.zeros((1, 1, 3), np.uint8))


class LateMatter:
    """Returns alphas as they are, `delay` frames late."""

    def __init__(self, delay: int) -> None:
        self._delay = delay
        self._waiting: list[Alpha] = []

    def stabilise(self, frame: Any, alpha: Alpha) -> Alpha | None:
        self._waiting.append(alpha)
        return self._waiting.pop(0) if len(self._waiting) > self._delay else None

    def pending_alpha(self) -> Alpha | None:
        return self._waiting.pop(0) if self._waiting else None


def in_progress(number: int, good: str) -> FrameInProgress:
    if good == "-":
        return FrameInProgress(BrokenFrame(number, 1, "damaged"), None)
    alpha = Alpha(np.full((1, 1), number, np.float32))
    segmented: Any = object()
    return FrameInProgress(Frame(number, 1, PIXEL), PIXEL, segmented, alpha)


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize(
    ("clip", "alphas"),
    [
        ("+++", [0, 1, 2]),
        ("+--+", [0, 0, 0, 3]),
        ("--+-", [2, 2, 2, 2]),
        ("+-", [0, 0]),
        ("--", []),
        ("", []),
    ],
)
def test_broken_frames_have_a_neighbours_alpha(clip: str, alphas: list[int], delay: int) -> None:
    matter: Any = LateMatter(delay)
    frames = [in_progress(number, good) for number, good in enumerate(clip)]
    found = list(stabilise_frames(iter(frames), matter))
    assert [frame.frame.pts for frame in found] == list(range(len(alphas)))
    assert [int(frame.alpha[0, 0]) for frame in found if frame.alpha is not None] == alphas
    if clip.startswith("-"):
        assert all(frame.image is PIXEL for frame in found[:1])
