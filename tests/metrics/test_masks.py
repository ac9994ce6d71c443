import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matte.arrays import Mask, Trimap
from matte.metrics.masks import CLASS_SHARES, accuracy, class_shares, mask_scores, subject_iou

masks = arrays(np.uint8, (5, 6), elements=st.sampled_from([0, 255])).map(Mask)
truths = arrays(np.uint8, (5, 6), elements=st.sampled_from([0, 128, 255])).map(Trimap)


def test_by_hand() -> None:
    truth = Trimap(np.array([[255, 255, 0, 0, 128, 128]], np.uint8))
    found = Mask(np.array([[255, 0, 255, 0, 255, 0]], np.uint8))
    assert mask_scores(found, truth) == {"miou": pytest.approx(1 / 3), "accuracy": 0.5}


def test_what_a_picture_adds_to_the_iou_of_a_set() -> None:
    truth = Trimap(np.array([[255, 255, 0, 0, 128, 128]], np.uint8))
    found = Mask(np.array([[255, 0, 255, 0, 255, 0]], np.uint8))
    shares = class_shares(found, truth)
    assert list(shares) == [name for pair in CLASS_SHARES for name in pair]
    assert list(shares.values()) == [0.25, 0.75, 0.25, 0.75]
    nothing = np.zeros((3, 4), np.uint8)
    assert list(class_shares(Mask(nothing), Trimap(nothing)).values()) == [0, 0, 1, 1]
    assert set(class_shares(Mask(nothing), Trimap(nothing + 128)).values()) == {0}


@given(masks, truths)
def test_shares_agree_with_the_other_metrics(found: Mask, truth: Trimap) -> None:
    shares = class_shares(found, truth)
    if (truth != 128).any():
        right = shares["subject_both"] + shares["background_both"]
        assert right == pytest.approx(accuracy(found, truth))
    if shares["subject_any"]:
        ratio = shares["subject_both"] / shares["subject_any"]
        assert ratio == pytest.approx(subject_iou(found, truth))


def test_no_subject() -> None:
    nothing = np.zeros((3, 4), np.uint8)
    assert subject_iou(Mask(nothing), Trimap(nothing)) == 1
    assert subject_iou(Mask(nothing + 255), Trimap(nothing)) == 0
    assert mask_scores(Mask(nothing), Trimap(nothing + 128)) == {"miou": 1, "accuracy": 1}


@given(masks, truths)
def test_what_is_ignored_does_not_matter(found: Mask, truth: Trimap) -> None:
    other = Mask(np.where(truth == 128, 255 - found, found).astype(np.uint8))
    assert mask_scores(other, truth) == mask_scores(found, truth)


@given(masks, masks)
def test_only_the_truth_is_perfect(found: Mask, truth: Mask) -> None:
    same = bool((found == truth).all())
    assert (subject_iou(found, Trimap(truth)) == 1) == same
    assert (accuracy(found, Trimap(truth)) == 1) == same
