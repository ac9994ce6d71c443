import numpy as np
import pytest

from matte.imaging.resizing import can_halve, resize, resize_by_halving


def test_pictures_shrink_by_means_and_grow_by_interpolation() -> None:
    values = np.array([[0, 2], [4, 6]], np.float32)
    assert resize(values, 1, 1) == 3
    grown = resize(values, 2, 4)
    assert grown[0].tolist() == [0, 0.5, 1.5, 2]
    assert resize(np.zeros((4, 4, 3), np.uint16), 2, 8).shape == (2, 8, 3)
    assert resize(np.zeros((4, 4), np.uint16), 2, 8).dtype == np.uint16


@pytest.mark.parametrize(("height", "width"), [(360, 640), (180, 320), (45, 80)])
def test_halving_first_changes_no_more_than_rounding(height: int, width: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    found = resize_by_halving(picture, height, width).astype(int)
    assert np.abs(found - resize(picture, height, width)).max() <= 2


def test_what_can_be_halved() -> None:
    assert can_halve((8, 6, 3), (4, 3))
    assert not can_halve((8, 6), (5, 3))
    assert not can_halve((7, 6), (1, 1))
