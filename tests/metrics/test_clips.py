import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matte.arrays import Alpha
from matte.metrics.clips import dt_ssd, temporal_variance

clips = arrays(np.float32, (4, 5, 7), elements=st.floats(0, 1, width=32))


def alphas(*values: float) -> list[Alpha]:
    return [Alpha(np.full((3, 4), value, np.float32)) for value in values]


def test_dt_ssd_by_hand() -> None:
    found = alphas(0.5, 0.75, 0.75)
    truth = alphas(0.0, 0.0, 0.5)
    # It changes by 0.25 where nothing should, and by nothing where 0.5 should.
    assert dt_ssd(found, truth) == pytest.approx((25 + 50) / 2)
    one = np.zeros((3, 4), np.float32)
    one[0, 0] = 1
    assert dt_ssd([*alphas(0), Alpha(one)], alphas(0, 0)) == pytest.approx(100 * (1 / 12) ** 0.5)


def test_a_steady_error_has_no_dt_ssd_and_a_single_frame_none() -> None:
    assert dt_ssd(alphas(0.2, 0.7), alphas(0.0, 0.5)) == pytest.approx(0, abs=1e-5)
    assert dt_ssd(alphas(0.2), alphas(1)) == 0
    assert dt_ssd([], []) == 0


def test_clips_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        dt_ssd(alphas(0, 1, 0), alphas(0, 1))


@given(clips)
def test_variance_is_that_of_the_whole_clip(
    clip: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    found = temporal_variance(Alpha(alpha) for alpha in clip)
    assert found == pytest.approx(clip.astype(np.float64).var(axis=0), abs=1e-9)
