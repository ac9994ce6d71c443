from collections.abc import Sequence

import cv2
import numpy as np

from matte.arrays import Alpha, Confidence, Image
from matte.clips.mask_reuse import SparseSegmenter
from matte.clips.motion import MotionTracker
from matte.imaging.resizing import resize
from matte.stages import Segmentation
from tests.clips.moving_disc import disc, moving_clip, still_clip


class ListedSegmenter:
    """Returns one confidence after another, by the number of the frame, and notes which."""

    network = None

    def __init__(self, alphas: Sequence[Alpha]) -> None:
        self.alphas, self.frame = alphas, 0
        self.segmented: list[int] = []

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        self.segmented.append(self.frame)
        alpha = self.alphas[self.frame]
        return Segmentation(Confidence(resize(alpha, *(size or alpha.shape))))


def run(
    frames: Sequence[Image], alphas: Sequence[Alpha], every: int, averages: bool = True
) -> tuple[list[Confidence], list[int]]:
    """The frames' confidences, and which of them were segmented."""
    segmenter, tracker = ListedSegmenter(alphas), MotionTracker()
    sparse, found = SparseSegmenter(segmenter, every, averages), []
    for number, frame in enumerate(frames):
        segmenter.frame = number
        found.append(sparse.confidence(frame, tracker.track(frame)))
    return found, segmenter.segmented


def test_every_nth_frame_is_segmented_where_nothing_moves() -> None:
    frames, alphas = still_clip(9)
    found, segmented = run(frames, alphas, 4)
    assert segmented == [0, 4, 8]
    assert max(np.abs(a - b).mean() for a, b in zip(found, alphas, strict=True)) < 0.01


def test_a_mask_goes_along_with_what_moves() -> None:
    frames, sharp = moving_clip(step=0.5, count=12)
    alphas = [Alpha(np.asarray(cv2.blur(alpha, (25, 25)), np.float32)) for alpha in sharp]
    found, segmented = run(frames, alphas, 3, averages=False)
    assert segmented == [0, 3, 6, 9]
    overlaps = [
        np.minimum(a, b).sum() / np.maximum(a, b).sum() for a, b in zip(found, alphas, strict=True)
    ]
    assert min(overlaps) > 0.93


def test_a_new_scene_is_segmented_at_once() -> None:
    frames, alphas = still_clip(6)
    other = [Image(255 - frame[::-1]) for frame in frames]
    elsewhere = disc(40, 30, 20)
    _, segmented = run([*frames[:3], *other[:3]], [*alphas[:3], *[elsewhere] * 3], 100)
    assert segmented == [0, 3]


def test_a_frame_is_segmented_when_somebody_comes_in() -> None:
    frames, alphas = still_clip(8)
    coming = [frame.copy() for frame in frames]
    for number, frame in enumerate(coming[4:]):
        frame[20:90, : 20 + 10 * number] = np.random.default_rng(number).integers(
            0, 255, (70, 20 + 10 * number, 3)
        )
    _, segmented = run([Image(frame) for frame in coming], alphas, 100)
    assert segmented[0] == 0
    assert segmented[1] in (4, 5)


def test_every_frame_of_an_empty_scene_is_segmented() -> None:
    frames, _ = still_clip(4)
    nobody = Alpha(np.zeros(frames[0].shape[:2], np.float32))
    _, segmented = run(frames, [nobody] * 4, 4)
    assert segmented == [0, 1, 2, 3]


def test_a_sparse_segmenter_asks_for_maps_as_coarse_as_the_flow() -> None:
    sizes: list[tuple[int, int] | None] = []

    class Noting(ListedSegmenter):
        def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
            sizes.append(size)
            return super().segment(image, size)

    image = Image(np.zeros((400, 800, 3), np.uint8))
    nobody = Alpha(np.zeros((400, 800), np.float32))
    for every in (1, 2):
        sparse = SparseSegmenter(Noting([nobody]), every, averages=True)
        assert sparse.confidence(image, MotionTracker().track(image)).shape == (400, 800)
    assert sizes == [None, (160, 320)]
