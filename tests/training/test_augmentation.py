from dataclasses import replace

import numpy as np
import pytest

from matte.training.augmentation import (
    GREY,
    augment,
    compose_cutout,
    letterbox_sample,
    plain_ground,
)
from matte.training.settings import AugmentationSettings

STILL = AugmentationSettings(
    flip=0, crop=0, shrink=0, rotate=0, light=0, grey=0, blur=0, noise=0, jpeg=0
)
WILD = AugmentationSettings(
    flip=0.5, crop=1, shrink=1, rotate=1, degrees=40, light=0.5, grey=0.3, blur=1, noise=1, jpeg=1
)


def picture(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The left third is white and the subject."""
    label = np.zeros((height, width), np.uint8)
    label[:, : width // 3] = 255
    return np.repeat(label[:, :, None], 3, axis=2), label


def test_padding_is_grey_and_does_not_count() -> None:
    square, label = letterbox_sample(*picture(30, 60), 64)
    assert (label[:32] != 128).all()
    assert (label[32:] == 128).all()
    assert (square[32:] == GREY).all()
    assert (square[:30, :18] == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (7, 200), (90, 31), (64, 64)])
def test_picture_and_label_move_together(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        settings = AugmentationSettings(light=0, grey=0, blur=0, noise=0, jpeg=0, degrees=40)
        square, label = augment(*picture(*shape), (64, 64), settings, random)
        assert square.shape == (64, 64, 3)
        assert square.dtype == label.dtype == np.uint8
        assert set(np.unique(label)) <= {0, 128, 255}
        inside = label != 128
        # Half a pixel may differ along the border between white and black.
        wrong = inside & ((square[:, :, 0] > 127) != (label == 255))
        assert wrong.sum() <= 0.03 * max(inside.sum(), 64 * 4)


def test_what_is_outside_the_picture_stays_grey() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        square, label = augment(*picture(50, 70), (64, 64), WILD, random)
        assert (square[label == 128] == GREY).all()


def test_no_change_is_asked_for_none_is_made() -> None:
    given, given_label = picture(64, 64)
    square, label = augment(given, given_label, (64, 64), STILL, np.random.default_rng(3))
    np.testing.assert_array_equal(label, given_label)
    assert np.abs(square.astype(int) - given).max() <= 1


def test_the_inputs_are_not_edited() -> None:
    given, given_label = picture(40, 40)
    before = given.copy(), given_label.copy()
    augment(given, given_label, (32, 32), WILD, np.random.default_rng(4))
    np.testing.assert_array_equal(given, before[0])
    np.testing.assert_array_equal(given_label, before[1])


def test_a_cutout_is_labelled_where_it_lands() -> None:
    cutout, alpha = np.full((40, 20, 3), 255, np.uint8), np.full((40, 20), 255, np.uint8)
    background = np.zeros((100, 150, 3), np.uint8)
    random = np.random.default_rng(5)
    seen = 0
    for _ in range(10):
        mixed, label = compose_cutout(cutout, alpha, background, random)
        assert mixed.shape[:2] == label.shape
        assert (mixed[label == 255] >= 190).all()
        assert (mixed[label == 0] <= 64).all()
        seen += int((label == 255).any())
    assert seen == 10


@pytest.mark.parametrize("size", [(32, 96), (96, 32)])
def test_samples_have_the_size_that_is_asked_for(size: tuple[int, int]) -> None:
    square, label = augment(*picture(40, 60), size, WILD, np.random.default_rng(6))
    assert square.shape == (*size, 3)
    assert label.shape == size
    assert (label != 128).any()


def test_dye_changes_the_colours_of_one_side_of_the_edge_only() -> None:
    random = np.random.default_rng(5)
    grey = np.full((64, 64, 3), 120, np.uint8)
    grey += random.integers(0, 20, grey.shape, dtype=np.uint8)
    _, given = picture(64, 64)
    settings = replace(STILL, dye=1)
    dyed = {"subject": 0, "behind": 0}
    for _ in range(40):
        square, label = augment(grey, given, (64, 64), settings, random)
        np.testing.assert_array_equal(label, given)
        change = np.abs(square.astype(int) - grey).max(axis=2)
        # The change fades out over a few pixels.
        subject, behind = change[:, :16].max(), change[:, 27:].max()
        assert min(subject, behind) <= 1
        dyed["subject"] += bool(subject > 10)
        dyed["behind"] += bool(behind > 10)
    assert dyed["subject"] >= 10
    assert dyed["behind"] >= 5
    empty, none = augment(grey, np.full_like(given, 128), (64, 64), settings, random)
    np.testing.assert_array_equal(none, 128)
    assert (np.abs(empty.astype(int) - grey).max(axis=2) <= 1).all()


def test_plain_grounds_are_of_many_colours_and_mostly_smooth() -> None:
    random = np.random.default_rng(6)
    grounds = [plain_ground(random).astype(int) for _ in range(60)]
    steps = [max(np.abs(np.diff(ground, axis=axis)).max() for axis in (0, 1)) for ground in grounds]
    smooth = [step <= 4 for step in steps]
    assert 0.5 < np.mean(smooth) < 0.9
    assert max(steps) > 60  # noise of single pixels
    means = np.array([ground.mean(axis=(0, 1)) for ground in grounds])
    assert (means.std(axis=0) > 40).all()
    assert any((ground == GREY).all() for ground in grounds)
