from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Image
from matte.compositing.fitting import FITS, Fit, cover, fit_background, tile, widen_pixels

SIDES = st.integers(1, 40) | st.just(5000)
DEPTHS = (np.uint8, np.uint16)


def noise(height: int, width: int, dtype: type[Any] = np.uint8) -> Image:
    random = np.random.default_rng(0)
    return Image(random.integers(0, np.iinfo(dtype).max + 1, (height, width, 3), dtype))


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("fit", FITS)
@given(h=SIDES, w=st.integers(1, 40), rows=st.integers(1, 40), columns=SIDES)
def test_every_fit_has_the_size(
    quick: bool, fit: Fit, h: int, w: int, rows: int, columns: int
) -> None:
    out = fit_background(Image(np.full((h, w, 3), 77, np.uint8)), rows, columns, fit, quick)
    assert out.shape == (rows, columns, 3)
    assert (out == 77).all()


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_picture_of_the_size_stays_as_it_is(quick: bool, fit: Fit, dtype: type[Any]) -> None:
    picture = noise(13, 17, dtype)
    before = picture.copy()
    out = fit_background(picture, 13, 17, fit, quick)
    assert out.dtype == dtype
    assert np.array_equal(out, before)
    assert np.array_equal(picture, before)


def test_cover_keeps_the_middle() -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    assert (cover(Image(stripes), 10, 10) == 255).all()
    assert (cover(Image(stripes), 20, 18) == 255).all()


def test_the_position_says_which_part_stays_and_where_it_lies() -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 20:] = 255
    right = fit_background(Image(stripes), 10, 10, "cover", position=(1.0, 0.5))
    assert (right == 255).all()
    plain = Image(np.full((10, 30, 3), 255, np.uint8))
    plain[:, :, 0] = 0
    low = fit_background(plain, 60, 30, "contain", position=(0.5, 1.0))
    assert np.array_equal(low[50:], plain)


def test_extreme_pictures_cost_no_more_than_the_result() -> None:
    thin = Image(np.full((1, 100_000, 3), 9, np.uint8))
    for fit in FITS:
        assert (fit_background(thin, 3000, 2, fit) == 9).all()
        assert (fit_background(Image(thin.transpose(1, 0, 2)), 2, 3000, fit) == 9).all()


@pytest.mark.parametrize("dtype", DEPTHS)
def test_contain_shows_the_whole_picture(dtype: type[Any]) -> None:
    picture = noise(20, 40, dtype)
    out = fit_background(picture, 60, 40, "contain")
    assert np.array_equal(out[20:40], picture)
    around = out[:20].astype(float) / np.iinfo(dtype).max
    assert 0.4 < around.mean() < 0.8  # blurred noise
    assert around.std() < 0.6 * (picture / np.iinfo(dtype).max).std()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))
def test_tiles_repeat_from_the_top_left(h: int, w: int, rows: int, columns: int) -> None:
    picture = noise(h, w)
    out = tile(picture, rows, columns)
    expected = np.tile(picture, (rows // h + 1, columns // w + 1, 1))[:rows, :columns]
    assert np.array_equal(out, expected)


def test_wider_pixels_become_square() -> None:
    picture = noise(4, 6)
    assert widen_pixels(picture, Fraction(1)) is picture
    assert widen_pixels(picture, Fraction(3, 2)).shape == (4, 9, 3)
    assert widen_pixels(picture, Fraction(1, 100)).shape == (4, 1, 3)
