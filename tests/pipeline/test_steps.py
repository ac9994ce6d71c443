"""The three steps of the line."""

import numpy as np
import pytest
from numpy.typing import NDArray

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


def spotted() -> Confidence:
    """A sure disc with a soft edge, a soft hole in it, and a soft speck and a bar beside it."""
    rows, columns = np.mgrid[:160, :200]

    def soft_disc(row: int, column: int, radius: int) -> NDArray[np.float64]:
        distance = np.hypot(rows - row, columns - column)
        return np.asarray(np.clip((radius - distance) / 6 + 0.5, 0, 1))

    confidence = soft_disc(80, 80, 50) - soft_disc(80, 80, 7) + soft_disc(30, 180, 5)
    confidence[78:82, 125:170] = 0.8
    return Confidence(confidence.astype(np.float32))


@pytest.mark.parametrize(
    ("settings", "place", "sure"),
    [
        (SegmentationSettings(fill_holes=0.01), np.s_[60:100, 60:100], 1),
        (SegmentationSettings(close_mask=12), np.s_[60:100, 60:100], 1),
        (SegmentationSettings(smooth_mask=20), np.s_[70:90, 70:90], 1),
        (SegmentationSettings(open_mask=6), np.s_[15:45, 165:195], 0),
        (SegmentationSettings(open_mask=6), np.s_[70:90, 140:190], 0),
        (SegmentationSettings(keep_parts=1), np.s_[15:45, 165:195], 0),
    ],
    ids=str,
)
def test_what_cleaning_changes_in_the_mask_it_changes_in_alpha(
    settings: SegmentationSettings, place: tuple[slice, slice], sure: int
) -> None:
    """With k = auto the band comes from the confidence, which has to know of the cleaning."""
    image = Image(np.zeros((160, 200, 3), np.uint8))
    seen = spotted()
    subject = cut_subject(Segmentation(seen), settings)
    drawn = draw(subject, TrimapSettings(k="auto"))
    assert drawn.follows_confidence
    assert (drawn.trimap[place] == 255 * sure).all()
    assert (refine(HalfUnknown(), image, subject, drawn).alpha[place] == sure).all()
    assert np.array_equal(seen, spotted()), "the input stays as it is"
    as_seen = cut_subject(Segmentation(seen), SegmentationSettings())
    assert as_seen.segmentation.confidence is seen
    assert (draw(as_seen, TrimapSettings(k="auto")).trimap[place] == 128).any()


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
