import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matte.arrays import Uint8Array
from matte.datasets.colours import spread_subject_colours
from tests.conftest import disc
from tests.datasets.sets import photo

COLOUR = np.array([230, 180, 60])


@pytest.mark.parametrize("rim", [0, 255])
def test_no_rim_shows_on_a_new_background(rim: int) -> None:
    alpha = disc(96, 128)[1]
    weight = alpha[:, :, None]
    soiled = np.rint(weight * COLOUR + (1 - weight) * rim).astype(np.uint8)
    background = 255 - rim
    truth = weight * COLOUR + (1 - weight) * background

    def errors(picture: Uint8Array) -> NDArray[np.float64]:
        return np.asarray(np.abs(weight * picture + (1 - weight) * background - truth))

    mended = spread_subject_colours(soiled, np.rint(alpha * 255).astype(np.uint8))
    assert errors(mended).max() < errors(soiled).max() / 4
    assert errors(mended).mean() < errors(soiled).mean() / 8


def test_honest_colours_hardly_change() -> None:
    alpha = np.rint(disc(96, 128)[1] * 255).astype(np.uint8)
    picture = np.broadcast_to(COLOUR.astype(np.uint8), (96, 128, 3)).copy()
    assert np.abs(spread_subject_colours(picture, alpha).astype(int) - COLOUR).max() <= 1


def test_each_side_gets_the_colour_nearby() -> None:
    picture = np.zeros((32, 64, 3), np.uint8)
    alpha = np.zeros((32, 64), np.uint8)
    picture[12:20, 4:12], picture[12:20, 52:60] = (200, 0, 0), (0, 0, 200)
    alpha[12:20, 4:12] = alpha[12:20, 52:60] = 255
    red, _, blue = spread_subject_colours(picture, alpha)[:, 2].mean(axis=0)
    assert red > 150 > 50 > blue


def test_smoke_without_a_solid_pixel_keeps_its_tone() -> None:
    picture = np.full((24, 24, 3), 180, np.uint8)
    alpha = np.full((24, 24), 60, np.uint8)
    alpha[:, :12] = 0
    picture[:, :12] = 0
    assert np.abs(spread_subject_colours(picture, alpha)[:, 12:].astype(int) - 180).max() <= 4


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_solid_pixels_stay_at_any_size(height: int, width: int, seed: int) -> None:
    picture = photo(height, width, seed)
    alpha = np.random.default_rng(seed).choice([0, 90, 255], (height, width)).astype(np.uint8)
    out = spread_subject_colours(picture, alpha)
    assert out.shape == picture.shape
    assert (out[alpha == 255] == picture[alpha == 255]).all()
