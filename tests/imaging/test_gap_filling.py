import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matte.imaging.gap_filling import fill_gaps


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 9))
def test_spread_values_are_within_those_given(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.uniform(0, 100, (height, width, 3)).astype(np.float32)
    weight = (random.random((height, width)) < 0.2).astype(np.float32)
    weight[0, 0] = 1
    out = fill_gaps(values, weight)
    known = values[weight == 1]
    assert (out[weight == 1] == known).all()
    assert (out >= known.min(axis=0) - 1e-2).all()
    assert (out <= known.max(axis=0) + 1e-2).all()
