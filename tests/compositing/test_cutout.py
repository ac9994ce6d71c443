from typing import Any

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.compositing.cutout import cut_out

RANDOM = np.random.default_rng(1)


def colours(height: int, width: int, dtype: type[Any]) -> Image:
    return Image(RANDOM.integers(0, np.iinfo(dtype).max + 1, (height, width, 3), dtype))


def test_straight_colours_stay_what_they_are() -> None:
    foreground = Image(np.full((2, 2, 3), 200, np.uint8))
    rgba = cut_out(foreground, Alpha(np.full((2, 2), 0.5, np.float32)))
    assert (rgba == (200, 200, 200, 128)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_colours_are_rounded_products(dtype: type[Any]) -> None:
    foreground = colours(30, 40, dtype)
    alpha = Alpha(RANDOM.random((30, 40), np.float32))
    rgba = cut_out(foreground, alpha, premultiply=True)
    assert rgba.dtype == dtype
    exact = foreground * alpha[:, :, None].astype(float)
    assert np.abs(rgba[:, :, :3] - exact).max() < 0.51
    assert (rgba[:, :, :3] <= rgba[:, :, 3:]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (37, 23)])
@pytest.mark.parametrize("premultiply", [False, True])
def test_cut_outs_in_strips_are_those_of_the_whole(
    size: tuple[int, int], dtype: type[Any], premultiply: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreground, alpha = colours(*size, dtype), Alpha(RANDOM.random(size, np.float32))
    found = []
    for pixels in (1 << 30, 100):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
        found.append(cut_out(foreground, alpha, premultiply))
    assert np.array_equal(found[0], found[1])
    assert premultiply or np.array_equal(found[0][:, :, :3], foreground)
