import numpy as np
import pytest

from matte.arrays import Confidence
from matte.segmentation.specks import without_specks


def subject_with(part: float, size: int = 6, factor: int = 1) -> Confidence:
    """A large part that a segmenter is sure of, and a small one."""
    found = np.zeros((120, 160), np.float32)
    found[30:110, 60:140] = 0.98
    found[10 : 10 + size, 10 : 10 + size] = part
    return Confidence(np.repeat(np.repeat(found, factor, 0), factor, 1))


@pytest.mark.parametrize("factor", [1, 5])
def test_a_small_part_that_is_unsure_goes(factor: int) -> None:
    given = subject_with(0.6, factor=factor)
    found = without_specks(given, 0.5)
    assert found[: 25 * factor, : 25 * factor].max() == 0
    np.testing.assert_array_equal(found[:, 50 * factor :], given[:, 50 * factor :])
    assert given[12 * factor, 12 * factor] == np.float32(0.6)


@pytest.mark.parametrize(
    ("part", "size"), [(0.9, 6), (0.6, 12), (0.2, 6)], ids=["sure", "large", "below the threshold"]
)
def test_what_is_no_speck_stays(part: float, size: int) -> None:
    given = subject_with(part, size)
    assert without_specks(given, 0.5) is given


def test_what_hangs_on_the_subject_stays() -> None:
    given = subject_with(0.0)
    given[60:66, 52:60] = 0.6
    given[60:66, 40:52] = 0.35
    assert without_specks(given, 0.5) is given


def test_what_is_near_the_subject_leaves_it_whole() -> None:
    given = subject_with(0.0)
    given[60:64, 54:58] = 0.6
    found = without_specks(given, 0.5)
    assert found[60:64, 54:58].max() == 0
    np.testing.assert_array_equal(found[:, 60:], given[:, 60:])


def test_bounds_go_with_the_threshold() -> None:
    given = subject_with(0.6)
    assert without_specks(given, 0.2) is given
    assert without_specks(subject_with(0.45), 0.2)[12, 12] == 0


def test_nothing_and_everything_stay() -> None:
    for value in (0.0, 0.6, 1.0):
        given = Confidence(np.full((20, 30), value, np.float32))
        assert without_specks(given, 0.5) is given
