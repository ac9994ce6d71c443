import numpy as np
import pytest

from matte.imaging.sampling import positions_in_copy, sample_at

VALUES = np.random.default_rng(1).random((30, 50), np.float32)


@pytest.mark.parametrize("sharp", [False, True])
def test_values_at_whole_positions_are_the_pixels(sharp: bool) -> None:
    exact = np.array([[4, 7], [49, 29], [0, 0]], np.float32)
    assert sample_at(VALUES, exact, sharp) == pytest.approx(VALUES[[7, 29, 0], [4, 49, 0]])


def test_values_between_pixels_are_interpolated() -> None:
    between = sample_at(VALUES, np.array([[4.5, 7]], np.float32))
    assert between == pytest.approx(VALUES[7, 4:6].mean(), abs=1e-4)


def test_there_may_be_no_positions_or_more_than_fit_into_a_row() -> None:
    none = np.empty((0, 2), np.float32)
    assert sample_at(VALUES, none).shape == (0,)
    assert sample_at(np.zeros((2, 2, 3), np.uint8), none).shape == (0, 3)
    assert np.all(sample_at(VALUES, np.zeros((3000, 2), np.float32)) == VALUES[0, 0])


def test_pixels_have_positions_in_a_smaller_copy() -> None:
    x, y = np.array([0, 3], np.float32), np.array([0, 7], np.float32)
    found = positions_in_copy(x, y, 2, 4)
    assert found.tolist() == [[-0.25, -0.375], [1.25, 1.375]]
