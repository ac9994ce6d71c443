"""The three steps of the line."""

import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image, Trimap
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.pipeline.steps import cut_subject, draw, refine
from matte.stages import NO_CONTEXT, RefineContext, Refined, ReusableAlpha, Segmentation
from matte.trimap.drawing import DrawnTrimap
from tests.conftest import disc
from tests.fakes import HalfUnknown

IMAGE, ALPHA = disc(60, 80)
SOFT = Segmentation(Confidence(ALPHA))


class Overconfident:
    """A refiner that takes everything unknown for the subject."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        return Refined(Alpha((trimap >= 128).astype(np.float32)), {"way": "greedy"})


class Remembering:
    """A previous alpha that records what it is updated with, and halves it."""

    def __init__(self) -> None:
        self.updates: list[Alpha] = []

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        return None

    def update(self, alpha: Alpha) -> Alpha:
        self.updates.append(alpha)
        return Alpha(alpha * np.float32(0.5))


def test_the_mask_is_cut_at_the_threshold_and_cleaned() -> None:
    subject = cut_subject(SOFT, SegmentationSettings(threshold=0.9))
    assert np.array_equal(subject.mask == 255, ALPHA >= 0.9)
    assert subject.threshold == 0.9
    twice = np.concatenate([ALPHA, ALPHA[:20]])
    one = cut_subject(Segmentation(Confidence(twice)), SegmentationSettings(keep_parts=1))
    assert not one.mask[60:].any()


@pytest.mark.parametrize(("pixels", "found"), [(0, False), (4, False), (5, True)])
def test_a_speck_is_no_subject(pixels: int, found: bool) -> None:
    confidence = Confidence(np.zeros((50, 100), np.float32))
    confidence[0, :pixels] = 1
    subject = cut_subject(Segmentation(confidence), SegmentationSettings())
    assert subject.is_found() == found
    assert subject.is_found(min_share=0) == (pixels > 0)


def test_only_a_band_by_confidence_limits_the_refiner() -> None:
    subject = cut_subject(SOFT, SegmentationSettings())
    by_kernel, by_confidence = (
        refine(Overconfident(), IMAGE, subject, draw(subject, TrimapSettings(k=k)))
        for k in (5, "auto")
    )
    outside = ALPHA == 0
    assert by_kernel.alpha[outside].any()
    assert not by_confidence.alpha[outside].any()
    assert by_kernel.report == by_confidence.report == {"way": "greedy"}


def test_the_next_frame_goes_on_from_the_refiners_own_alpha() -> None:
    subject = cut_subject(SOFT, SegmentationSettings())
    drawn = draw(subject, TrimapSettings(k="auto"))
    previous = Remembering()
    found = refine(Overconfident(), IMAGE, subject, drawn, previous)
    (remembered,) = previous.updates
    assert np.array_equal(remembered, (drawn.trimap >= 128).astype(np.float32))
    assert (found.alpha <= remembered).all()


def test_without_a_previous_frame_nothing_is_remembered() -> None:
    trimap = Trimap(np.full((60, 80), 128, np.uint8))
    refined = refine(HalfUnknown(), IMAGE, None, DrawnTrimap(trimap, "as given"))
    assert (refined.alpha == 0.5).all()
