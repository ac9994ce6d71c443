from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image
from matte.clips.matting import FrameMatter
from matte.configs.settings import Config, VideoSettings
from matte.pipeline.line import NO_PRIOR, LineResult, Prior
from matte.stages import Segmentation
from tests.clips.test_stabilising import a_mover, a_still, disc
from tests.fakes import Unrefined


class Told:
    """A segmenter that says what it is told, and counts how often it is asked."""

    network = None

    def __init__(self, alphas: Sequence[Alpha]) -> None:
        self.alphas, self.frame = alphas, 0
        self.asked: list[int] = []

    def segment(self, image: Image) -> Segmentation:
        self.asked.append(self.frame)
        return Segmentation(Confidence(self.alphas[self.frame]))


class AsSegmented(Unrefined):
    """A line whose alpha is the confidence it is given."""

    def __init__(self, segmenter: Told | None, reason: str = "") -> None:
        self.segmenter = segmenter
        self.reason = reason

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        confidence = Confidence(np.zeros(image.shape[:2], np.float32))
        if prior.segmentation is not None:
            confidence = prior.segmentation.confidence
        report: dict[str, object] = {"ms": {"refine": 2.0}}
        if self.reason:
            report["fallback"] = {"reason": self.reason}
        return LineResult(Alpha(confidence), report=report)


def run(
    frames: Sequence[Image], alphas: Sequence[Alpha], settings: VideoSettings
) -> tuple[list[Alpha], Told, FrameMatter]:
    told = Told(alphas)
    matter = FrameMatter(AsSegmented(told), Config(video=settings), frames[0].shape[:2])
    found = []
    for number, frame in enumerate(frames):
        told.frame = number
        looked = matter.look(frame)
        found.append(matter.steady(looked, matter.refine(looked)))
    found.append(matter.last())
    return [alpha for alpha in found if alpha is not None], told, matter


def furthest(found: Sequence[Alpha], alphas: Sequence[Alpha]) -> float:
    """The mean difference of the frame where it is largest."""
    return max(float(np.abs(a - b).mean()) for a, b in zip(found, alphas, strict=True))


@pytest.mark.parametrize("temporal", ["off", "flow", "ofd"])
def test_every_frame_gets_an_alpha(temporal: str) -> None:
    frames, alphas = a_still(6)
    found, told, matter = run(frames, alphas, VideoSettings(temporal=temporal))  # type: ignore[arg-type]  # one of its words
    assert len(found) == 6
    assert told.asked == list(range(6))
    assert furthest(found, alphas) < 0.01
    assert set(matter.watch.ms) == {"follow", "segment", "refine", "steady"}
    assert matter.watch.ms["refine"] == 12


def test_the_segmenter_is_asked_for_every_nth_frame_where_nothing_moves() -> None:
    frames, alphas = a_still(9)
    found, told, _ = run(frames, alphas, VideoSettings(segment_every=4))
    assert told.asked == [0, 4, 8]
    assert furthest(found, alphas) < 0.01


def test_a_mask_goes_along_with_what_moves() -> None:
    frames, sharp = a_mover(step=0.5, count=12)
    alphas = [Alpha(np.asarray(cv2.blur(alpha, (25, 25)), np.float32)) for alpha in sharp]
    found, told, _ = run(frames, alphas, VideoSettings("off", segment_every=3))
    assert told.asked == [0, 3, 6, 9]
    overlaps = [
        np.minimum(a, b).sum() / np.maximum(a, b).sum() for a, b in zip(found, alphas, strict=True)
    ]
    assert min(overlaps) > 0.93


def test_the_segmenter_is_asked_at_once_after_a_cut() -> None:
    frames, alphas = a_still(6)
    other = [Image(255 - frame[::-1]) for frame in frames]
    elsewhere = disc(40, 30, 20)
    _, told, _ = run(
        [*frames[:3], *other[:3]], [*alphas[:3], *[elsewhere] * 3], VideoSettings(segment_every=100)
    )
    assert told.asked == [0, 3]


def test_the_segmenter_is_asked_when_somebody_comes_in() -> None:
    frames, alphas = a_still(8)
    coming = [frame.copy() for frame in frames]
    for number, frame in enumerate(coming[4:]):
        frame[20:90, : 20 + 10 * number] = np.random.default_rng(number).integers(
            0, 255, (70, 20 + 10 * number, 3)
        )
    _, told, _ = run([Image(frame) for frame in coming], alphas, VideoSettings(segment_every=100))
    assert told.asked[0] == 0
    assert told.asked[1] in (4, 5)


def test_an_empty_scene_is_looked_at_in_every_frame() -> None:
    frames, _ = a_still(4)
    nobody = Alpha(np.zeros(frames[0].shape[:2], np.float32))
    _, told, _ = run(frames, [nobody] * 4, VideoSettings(segment_every=4))
    assert told.asked == [0, 1, 2, 3]


def test_a_line_without_a_segmenter_sees_pictures_alone() -> None:
    frames, _ = a_still(2)
    matter = FrameMatter(AsSegmented(None), Config(), frames[0].shape[:2])
    looked = matter.look(frames[0])
    assert looked.confidence is None
    assert matter.refine(looked) is not None
    assert "segment" not in matter.watch.ms


def test_doubts_are_counted() -> None:
    frames, alphas = a_still(3)
    told = Told(alphas)
    matter = FrameMatter(AsSegmented(told, "most of it is unknown"), Config(), frames[0].shape[:2])
    for frame in frames:
        matter.refine(matter.look(frame))
    assert matter.doubts == {"most of it is unknown": 3}
