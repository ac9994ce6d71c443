from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import colour_pixel
from matte.compositing.blend import blend_over
from matte.compositing.composer import (
    Composer,
    DefocusedGround,
    FilmGround,
    Ground,
    PictureGround,
)
from matte.compositing.cutout import cut_out
from matte.compositing.defocus import defocus_background
from matte.compositing.fitting import FITS, Fit, fit_background
from matte.configs.lengths import Length
from matte.errors import PictureError, SettingError

DEPTHS = (np.uint8, np.uint16)
SIZE = (12, 16)
RANDOM = np.random.default_rng(0)
ALPHA = Alpha(np.clip(3 * RANDOM.random(SIZE) - 1, 0, 1).astype(np.float32))
NOW = Fraction(0)


def noise(dtype: type[Any] = np.uint8, size: tuple[int, int] = SIZE) -> Image:
    return Image(RANDOM.integers(0, np.iinfo(dtype).max + 1, (*size, 3), dtype))


def plain_frames(*greys: int) -> Iterator[tuple[Fraction, Image]]:
    """Frames of one grey each, half a second long."""
    for number, grey in enumerate(greys):
        yield Fraction(number, 2), Image(np.full((6, 8, 3), grey, np.uint8))


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


def test_an_unknown_blend_is_refused() -> None:
    with pytest.raises(SettingError, match="blend = 'gamma': choose from linear, srgb"):
        matte.composite(
            np.zeros((2, 2, 3), np.uint8),
            np.zeros((2, 2)),
            "white",
            blend="gamma",  # type: ignore[arg-type]  # what is tested
        )


def test_an_unknown_fit_is_refused() -> None:
    with pytest.raises(
        SettingError, match="fit = 'zoom': choose from contain, cover, stretch, tile"
    ):
        matte.composite(noise(), ALPHA, "white", fit="zoom")  # type: ignore[arg-type]  # tested


@pytest.mark.parametrize("fit", FITS)
def test_backgrounds_of_any_size_and_depth(fit: Fit) -> None:
    picture = np.full((3, 7, 3), 5 * 257, np.uint16)
    out = matte.composite(np.zeros((9, 4, 3), np.uint8), np.zeros((9, 4)), picture, fit=fit)
    assert out.dtype == np.uint8
    assert (out == 5).all()


@pytest.mark.parametrize("premultiply", [False, True])
def test_without_a_ground_subjects_are_cut_out(premultiply: bool) -> None:
    image = noise()
    found = Composer(premultiply=premultiply).compose(image, image, ALPHA)
    assert np.array_equal(found, cut_out(image, ALPHA, premultiply))


def test_only_cut_outs_can_be_premultiplied() -> None:
    with pytest.raises(SettingError, match="--premultiply is for cut-outs: use --bg transparent"):
        Composer(PictureGround(noise()), premultiply=True)


@pytest.mark.parametrize("blend", ["srgb", "linear"])
@pytest.mark.parametrize("dtype", DEPTHS)
def test_the_subject_is_blended_over_its_ground(dtype: type[Any], blend: Any) -> None:
    image, foreground = noise(dtype), noise(dtype)
    grounds: list[Ground] = [
        PictureGround(colour_pixel((10, 200, 30))),
        PictureGround(noise(size=(5, 9)), "contain"),
        DefocusedGround(Length(3)),
        FilmGround(plain_frames(9)),
    ]
    for ground in grounds:
        expected = blend_over(foreground, ALPHA, ground.background_for(image, ALPHA, NOW), blend)
        found = Composer(ground, blend).compose(image, foreground, ALPHA)
        assert found.dtype == dtype
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_picture_is_fitted_once_for_images_of_one_size(fit: Fit, dtype: type[Any]) -> None:
    picture = noise(dtype, (5, 9))
    ground = PictureGround(picture, fit)
    found = [ground.background_for(noise(), ALPHA, Fraction(second)) for second in range(2)]
    assert np.array_equal(found[0], fit_background(picture, *SIZE, fit))
    assert found[0] is found[1]
    assert ground.background_for(noise(size=(7, 7)), ALPHA, NOW).shape == (7, 7, 3)


@pytest.mark.parametrize("quick", [False, True])
def test_the_own_background_is_out_of_focus(quick: bool) -> None:
    image = noise()
    found = DefocusedGround(Length(25, percent=True), quick).background_for(image, ALPHA, NOW)
    assert np.array_equal(found, defocus_background(image, ALPHA, 4, quick))


@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_film_shows_the_frame_whose_time_has_come_in_the_images_depth(dtype: type[Any]) -> None:
    ground, begin = FilmGround(plain_frames(1, 2, 3)), Fraction(100, 7)
    image = noise(dtype)
    scale = np.iinfo(dtype).max // 255
    for seconds, grey in ((0, 1), (0.4, 1), (0.5, 2), (0.9, 2), (5, 3), (6, 3)):
        found = ground.background_for(image, ALPHA, begin + Fraction(seconds))
        assert found.shape == image.shape
        assert found.dtype == dtype
        assert (found == grey * scale).all()


def test_a_film_frame_is_fitted_once_while_it_is_shown() -> None:
    ground = FilmGround(plain_frames(1, 2))
    found = [ground.background_for(noise(), ALPHA, Fraction(at, 4)) for at in range(4)]
    assert found[0] is found[1]
    assert found[2] is found[3]
    assert found[1] is not found[2]


def test_a_film_is_read_no_further_than_one_frame_ahead() -> None:
    frames = plain_frames(1, 2, 3, 4)
    ground = FilmGround(frames)
    ground.background_for(noise(), ALPHA, NOW)
    assert next(frames)[0] == 1
