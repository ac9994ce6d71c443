from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.imaging.channels import repeat_per_channel, swap_red_and_blue


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_red_and_blue_are_swapped_in_place_or_elsewhere(channels: int, dtype: type) -> None:
    random = np.random.default_rng(0)
    picture: NDArray[Any] = random.integers(0, 256, (5, 7, channels)).astype(dtype)
    expected = picture[:, :, [2, 1, 0, 3][:channels]]
    out = np.empty_like(picture)
    assert swap_red_and_blue(picture, out) is out
    assert np.array_equal(out, expected)
    assert np.array_equal(swap_red_and_blue(picture, picture), expected)


def test_values_are_repeated_for_each_channel() -> None:
    found = repeat_per_channel(np.array([[0.25, 1]], np.float32))
    assert found.tolist() == [[0.25] * 3, [1] * 3]
    assert repeat_per_channel(np.zeros(0, np.float32)).shape == (0, 3)
