"""Alpha reused in the next frame: it is warped, ages, and is refined anew where frames differ."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Confidence, Image, Trimap
from matte.clips.alpha_reuse import RENEWAL_WEIGHT, AlphaHistory
from matte.clips.motion import MotionTracker
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.pipeline.budget import Budget
from matte.pipeline.line import Prior, TwoStage
from matte.refiner.reuse import stale_share as stale_share_of
from matte.stages import NO_CONTEXT, RefineContext, Refined, ReusableAlpha, Segmentation
from tests.fakes import BrightIsSubject, HalfUnknown
from tests.textures import clouds

HEIGHT, WIDTH = 360, 640
Flags = NDArray[np.bool_]
Kind = tuple[Image, Trimap, Alpha]


def a_frame(x: float = 320, y: float = 180, shown: int = 5) -> Kind:
    """A disc over clouds, its trimap and its true alpha."""
    subject, behind = clouds(HEIGHT, WIDTH, shown) // 2 + 127, clouds(HEIGHT, WIDTH, 7) // 2
    shift = np.array([[1, 0, x - 320], [0, 1, y - 180]], np.float32)
    subject = np.asarray(cv2.warpAffine(subject, shift, (WIDTH, HEIGHT)), np.uint8)
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    inwards = 100 - np.hypot(xs - x, ys - y)
    alpha = np.clip(0.5 + inwards / 6, 0, 1).astype(np.float32)
    image = np.rint(behind + alpha[:, :, None] * (subject.astype(np.float32) - behind))
    known = np.where(inwards > 0, SUBJECT, BACKGROUND)
    trimap = np.where(np.abs(inwards) < 16, UNKNOWN, known)
    return Image(image.astype(np.uint8)), Trimap(trimap.astype(np.uint8)), Alpha(alpha)


def run(frames: Sequence[Kind], history: AlphaHistory) -> list[ReusableAlpha | None]:
    """What holds in each frame; what is stale is learnt as it truly is."""
    tracker, found = MotionTracker(), []
    for image, trimap, truth in frames:
        history.start_frame(tracker.track(image))
        reusable = history.warped_alpha(image, trimap)
        history.update(
            truth if reusable is None else Alpha(np.where(reusable.stale, truth, reusable.alpha))
        )
        found.append(reusable)
    return found


def stale_share(reusable: ReusableAlpha | None, trimap: Trimap) -> float:
    assert reusable is not None
    assert not reusable.stale[trimap != UNKNOWN].any()
    return float(reusable.stale[trimap == UNKNOWN].mean())


def test_no_alpha_is_reused_in_a_first_frame_after_a_cut_or_in_another_size() -> None:
    one = a_frame()
    image, trimap, alpha = one
    dark = Image(255 - image[::-1] // np.uint8(4))
    less = Image(image[::2]), Trimap(trimap[::2]), Alpha(alpha[::2])
    other = (dark, trimap, alpha)
    found = run([one, one, other, other, less, less], AlphaHistory(4))
    assert [warped is None for warped in found] == [True, False, True, False, True, False]


def test_a_still_alpha_stays_to_the_bit_and_is_refined_by_age() -> None:
    frame = a_frame()
    _, trimap, truth = frame
    found = run([frame] * 25, AlphaHistory(6))[1:]
    seen = np.zeros(trimap.shape, int)
    for reusable in found:
        assert reusable is not None
        assert np.array_equal(reusable.alpha, truth)
        # As much as falls to each frame: no more than a box too many.
        assert stale_share(reusable, trimap) < 0.5
        seen += reusable.stale
    assert seen[trimap == UNKNOWN].min() >= 24 // 6 - 1, "each pixel, every 6 frames"
    assert np.mean([stale_share(reusable, trimap) for reusable in found]) < 2 / 6


def test_alpha_is_warped_with_what_moves() -> None:
    frames = [a_frame(300 + 3 * n, 180 - n) for n in range(8)]
    for reusable, (_, trimap, truth), before in zip(
        run(frames, AlphaHistory(100))[1:], frames[1:], frames, strict=False
    ):
        assert reusable is not None
        band = trimap == UNKNOWN
        assert (
            np.abs(reusable.alpha - truth)[band].mean()
            < 0.35 * np.abs(before[2] - truth)[band].mean()
        )
        assert np.array_equal(reusable.alpha[~band], trimap[~band] / np.float32(255))


def changed(frame: Kind, part: tuple[slice, slice]) -> Kind:
    """The frame with something else in a part of it."""
    image = Image(frame[0].copy())
    image[part] = 255 - image[part] // np.uint8(2)
    return image, *frame[1:]


def test_what_changes_is_stale_and_the_rest_is_not() -> None:
    frame, part = a_frame(), (slice(80, 280), slice(380, 480))
    trimap = frame[1]
    shares = []
    for size in (None, 320):
        reusable = run([frame, frame, changed(frame, part)], AlphaHistory(1000, size))[2]
        assert reusable is not None
        assert reusable.stale[part][trimap[part] == UNKNOWN].mean() > 0.95
        shares.append(stale_share(reusable, trimap))
    # Where a copy is refined its tiles are larger here.
    assert 0.2 < shares[0] < 0.6
    assert shares[0] < shares[1]


def test_small_changes_add_up() -> None:
    frame = a_frame()
    other = changed(frame, (slice(78, 84), slice(316, 324)))
    found = run([frame, other] * 40, AlphaHistory(9999))[1:]
    shares = [stale_share(reusable, frame[1]) for reusable in found]
    assert max(shares[:2]) == 0
    assert max(shares) > 0
    assert np.mean(shares) < 0.1


def test_a_frame_that_was_not_refined_is_not_reused() -> None:
    image, trimap, alpha = a_frame()
    history, tracker = AlphaHistory(4), MotionTracker()
    for learns in (True, False, True):
        history.start_frame(tracker.track(image))
        assert history.warped_alpha(image, trimap) is None
        if learns:
            history.update(alpha)
        history.start_frame(tracker.track(image))  # a frame that nobody refines


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (37, 53), (700, 9)])
def test_frames_of_any_size(shape: tuple[int, int]) -> None:
    image = Image(np.full((*shape, 3), 60, np.uint8))
    trimap = Trimap(np.full(shape, UNKNOWN, np.uint8))
    alpha = Alpha(np.full(shape, 0.5, np.float32))
    found = run([(image, trimap, alpha)] * 3, AlphaHistory(2))
    assert found[0] is None
    for reusable in found[1:]:
        assert reusable is not None
        assert reusable.alpha.shape == reusable.stale.shape == shape


class Resuming(HalfUnknown):
    """Tells what it was asked to refine again."""

    def __init__(self) -> None:
        self.asked: list[Flags] = []

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        reusable = context.previous and context.previous.warped_alpha(image, trimap)
        if not reusable:
            return super().refine(image, trimap)
        self.asked.append(reusable.stale)
        alpha = Alpha(np.where(reusable.stale, 0.5, reusable.alpha).astype(np.float32))
        return Refined(alpha, {"again": stale_share_of(reusable, trimap)})


def line_of(refiner: Any) -> TwoStage:
    band = TrimapSettings(k=3, iterations=4)
    return TwoStage(BrightIsSubject(), SegmentationSettings(), band, refiner, Budget(0))


def test_a_line_refines_again_what_is_stale() -> None:
    image, trimap, _ = a_frame()
    refiner, history, tracker = Resuming(), AlphaHistory(4), MotionTracker()
    confidence = Confidence((trimap == SUBJECT).astype(np.float32))
    found = []
    for prior in (
        Prior(Segmentation(confidence), previous=history),
        Prior(trimap=trimap, previous=history),
    ) * 2:
        history.start_frame(tracker.track(image))
        found.append(line_of(refiner).run(image, prior))
    assert len(refiner.asked) == 3
    assert found[0].report["refined"] == {}
    for each, stale in zip(found[1:], refiner.asked, strict=True):
        assert each.trimap is not None
        share = stale[each.trimap == UNKNOWN].mean()
        assert each.report["refined"] == {"again": pytest.approx(share, abs=1e-5)}


def test_alpha_refined_for_its_age_is_blended_with_the_warped_one() -> None:
    """A refiner that says something else each time moves alpha by a part of it, not at once."""
    image, trimap, _ = a_frame()
    history, tracker = AlphaHistory(2), MotionTracker()
    unknown = trimap == UNKNOWN
    said = []
    for word in (0.2, 0.8, 0.8, 0.8):
        history.start_frame(tracker.track(image))
        reusable = history.warped_alpha(image, trimap)
        alpha = Alpha(np.where(unknown, np.float32(word), trimap / np.float32(255)))
        if reusable is not None:
            was, stale = reusable.alpha, reusable.stale
            alpha = Alpha(np.where(unknown & ~stale, was, alpha).astype(np.float32))
        said.append(history.update(alpha)[unknown])
    assert (said[0] == np.float32(0.2)).all()
    renewed = said[1] != np.float32(0.2)
    assert 0.2 < renewed.mean() < 0.9
    assert said[1][renewed] == pytest.approx(0.2 + 0.6 * RENEWAL_WEIGHT, abs=1e-4)
    assert said[3].max() < 0.8


def test_a_refiner_that_can_not_go_on_refines_anew() -> None:
    image, trimap, _ = a_frame()
    history, tracker = AlphaHistory(4), MotionTracker()
    for _ in range(2):
        history.start_frame(tracker.track(image))
        found = line_of(HalfUnknown()).run(image, Prior(trimap=trimap, previous=history))
        assert found.report["refined"] == {}
        assert (found.alpha[trimap == UNKNOWN] == 0.5).all()


def test_a_frame_without_subject_is_not_remembered() -> None:
    image, trimap, _ = a_frame()
    refiner, history, tracker = Resuming(), AlphaHistory(4), MotionTracker()
    nobody = Confidence(np.zeros(trimap.shape, np.float32))
    for given in (Prior(trimap=trimap), Prior(Segmentation(nobody)), Prior(trimap=trimap)):
        history.start_frame(tracker.track(image))
        line_of(refiner).run(image, Prior(given.segmentation, given.trimap, history))
    assert refiner.asked == []


def test_the_refiners_alpha_is_remembered_before_confidence_limits_it() -> None:
    """Or belief would be added to belief, frame after frame."""

    class Learns:
        def warped_alpha(self, image: Image, trimap: Trimap) -> None:
            return None

        def update(self, alpha: Alpha) -> Alpha:
            self.alpha = alpha
            return alpha

    image, _, truth = a_frame()
    before, auto = Learns(), TrimapSettings(k="auto")
    line = TwoStage(BrightIsSubject(), SegmentationSettings(), auto, Resuming(), Budget(0))
    found = line.run(image, Prior(Segmentation(Confidence(truth)), previous=before))
    assert found.trimap is not None
    unknown = found.trimap == UNKNOWN
    assert (before.alpha[unknown] == 0.5).all()
    assert not (found.alpha[unknown] == 0.5).all()
