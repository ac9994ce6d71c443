import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import colour, cover
from matte.errors import PictureError, SettingError


def test_the_equation() -> None:
    foreground = np.full((1, 3, 3), 200, np.uint8)
    alpha = np.array([[0, 0.25, 1]], np.float32)
    out = matte.composite(foreground, alpha, np.full((1, 3, 3), 100, np.uint8))
    assert out[0, :, 0].tolist() == [100, 125, 200]


@given(st.integers(0, 65535), st.integers(0, 255), st.floats(0, 1, width=32))
def test_the_equation_in_16_bits(f: int, b: int, a: float) -> None:
    out = matte.composite(
        np.full((1, 1, 3), f, np.uint16),
        np.array([[a]], np.float32),
        np.full((1, 1, 3), b, np.uint8),
    )
    assert out.dtype == np.uint16
    assert abs(int(out[0, 0, 0]) - (a * f + (1 - a) * b * 257)) <= 0.51


@pytest.mark.parametrize(
    ("background", "rgb"),
    [
        ("white", (255, 255, 255)),
        ("#102030", (16, 32, 48)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ((9, 8, 7), (9, 8, 7)),
    ],
)
def test_colours(background: str | tuple[int, ...], rgb: tuple[int, ...]) -> None:
    out = matte.composite(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)), background)
    assert (out == rgb).all()


@pytest.mark.parametrize("name", ["beach", "#12", "#11223344"])
def test_what_is_no_colour_is_said(name: str) -> None:
    with pytest.raises(SettingError, match=f"background '{name}'"):
        colour(name)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_backgrounds_cover_without_squashing(h: int, w: int, rows: int, columns: int) -> None:
    assert cover(Image(np.zeros((h, w, 3), np.uint8)), rows, columns).shape == (rows, columns, 3)


def test_the_middle_of_a_background_is_kept() -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    assert (cover(Image(stripes), 10, 10) == 255).all()
    assert (cover(Image(stripes), 20, 18) == 255).all()


def test_sizes_must_agree() -> None:
    with pytest.raises(PictureError, match="the alpha is 3×2"):
        matte.composite(np.zeros((3, 3, 3), np.uint8), np.zeros((2, 3)), "white")


def test_nothing_given_is_changed() -> None:
    f: NDArray[np.uint8] = np.full((4, 4, 3), 7, np.uint8)
    a = Alpha(np.full((4, 4), 0.5, np.float32))
    b = np.full((4, 4, 3), 9, np.uint8)
    matte.composite(f, a, b)[:] = 0
    matte.composite(f, np.ones((4, 4)), b)[:] = 0
    assert (f == 7).all()
    assert (b == 9).all()


@pytest.mark.parametrize(
    "values", [(-1, 0, 0), (256, 0, 0), (0.5, 0.5, 0.5), (1, 2), (np.nan,) * 3]
)
def test_impossible_colours_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(SettingError, match="give three whole numbers 0 … 255"):
        matte.composite(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)), values)


def test_extreme_backgrounds_cost_no_more_than_the_picture() -> None:
    thin = Image(np.full((1, 100_000, 3), 9, np.uint8))
    assert (cover(thin, 3000, 2) == 9).all()
    assert (cover(Image(thin.transpose(1, 0, 2)), 2, 3000) == 9).all()
