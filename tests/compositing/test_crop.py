import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matte.compositing.crop import subject_box
from matte.configs.lengths import Length


def empty() -> NDArray[np.float32]:
    return np.zeros((100, 200), np.float32)


def test_the_box_of_the_subject() -> None:
    alpha = empty()
    alpha[20:40, 50:90] = 1
    assert subject_box(alpha) == (slice(20, 40), slice(50, 90))
    assert subject_box(alpha, Length(5)) == (slice(15, 45), slice(45, 95))
    assert subject_box(alpha, Length(10, percent=True)) == (slice(16, 44), slice(46, 94))
    assert subject_box(alpha, Length(60)) == (slice(0, 100), slice(0, 150))


def test_specks_and_shadows_do_not_count() -> None:
    alpha = empty()
    alpha[20:60, 50:90] = 1
    alpha[60:70, 50:190] = 0.45
    alpha[2:4, 2:6] = 1
    assert subject_box(alpha) == (slice(20, 60), slice(50, 90))


def test_a_second_person_far_away_counts() -> None:
    alpha = empty()
    alpha[20:60, 50:90] = 1
    alpha[10:16, 150:155] = 1
    assert subject_box(alpha) == (slice(10, 60), slice(50, 155))


@pytest.mark.parametrize("value", [0, 0.49])
def test_without_a_subject_there_is_no_box(value: float) -> None:
    assert subject_box(empty() + np.float32(value)) is None


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 39),
    st.integers(0, 39),
    st.floats(0, 100),
)
def test_the_box_holds_the_subject_and_lies_in_the_picture(
    height: int, width: int, row: int, column: int, margin: float
) -> None:
    alpha = np.zeros((height, width), np.float32)
    alpha[row % height, column % width] = 1
    box = subject_box(alpha, Length(margin))
    assert box is not None
    for side, at, size in zip(box, (row % height, column % width), alpha.shape, strict=True):
        assert 0 <= side.start <= at < side.stop <= size
