"""The confidence that follows its cleaned mask."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import Confidence, Mask
from matte.configs.settings import SegmentationSettings
from matte.segmentation.agreement import agree_with_mask
from matte.segmentation.masks import make_mask

SIDES = st.tuples(st.integers(1, 20), st.integers(1, 20))
NEAR, FAR = 2.0, 8.0


@given(
    SIDES.flatmap(
        lambda sides: st.tuples(
            arrays(np.float32, sides, elements=st.floats(0, 1, width=32)),
            arrays(np.bool_, sides),
            st.floats(0.01, 0.99),
        )
    )
)
def test_cut_again_it_gives_the_mask(
    drawn: tuple[NDArray[np.float32], NDArray[np.bool_], float],
) -> None:
    confidence, subject, threshold = Confidence(drawn[0]), drawn[1], drawn[2]
    mask = Mask(subject.astype(np.uint8) * np.uint8(255))
    agreed = agree_with_mask(confidence, mask, threshold, NEAR, FAR)
    assert agreed.dtype == np.float32
    assert agreed.min() >= 0
    assert agreed.max() <= 1
    assert np.array_equal(make_mask(agreed, SegmentationSettings(threshold=threshold)), mask)


def test_without_cleaning_it_is_the_same_confidence() -> None:
    confidence = Confidence(np.linspace(0, 1, 300, dtype=np.float32).reshape(15, 20))
    mask = make_mask(confidence, SegmentationSettings())
    assert agree_with_mask(confidence, mask, 0.5, NEAR, FAR) is confidence


def half_plane() -> Confidence:
    """Sure background at the left, sure subject at the right, a ramp between: 40 x 120."""
    ramp = np.clip((np.arange(120) - 60) / 16 + 0.5, 0, 1)
    return Confidence(np.tile(ramp.astype(np.float32), (40, 1)))


def test_the_doubt_of_an_edge_that_stays_stays() -> None:
    confidence = half_plane()
    expected = confidence.copy()
    confidence[18:22, 100:104] = 0.2
    confidence[17, 99:105] = 0.7  # the hole's own doubt
    mask = make_mask(confidence, SegmentationSettings(fill_holes=0.1))
    agreed = agree_with_mask(confidence, mask, 0.5, NEAR, FAR)
    assert np.array_equal(agreed, expected)


def test_an_edge_that_moves_a_little_keeps_its_doubt() -> None:
    confidence = half_plane()
    confidence[:, 60] = 0.55
    mask = make_mask(confidence, SegmentationSettings())
    moved = mask.copy()
    moved[:, 60] = 0  # the first column of the subject
    agreed = agree_with_mask(confidence, Mask(moved), 0.5, NEAR, FAR)
    assert (agreed != confidence).sum() == 40, "one column changed sides"
    changed = agreed != confidence
    assert np.allclose(agreed[changed], 1 - confidence[changed], atol=1e-6)


def test_doubt_far_from_what_was_cleaned_stays() -> None:
    confidence = half_plane()
    confidence[18:22, 100:104] = 0.2
    confidence[5, 115] = 0.7
    mask = make_mask(confidence, SegmentationSettings(fill_holes=0.1))
    assert agree_with_mask(confidence, mask, 0.5, NEAR, FAR)[5, 115] == np.float32(0.7)
