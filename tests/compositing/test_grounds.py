from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Alpha, Image
from matte.compositing.blend import composite
from matte.compositing.grounds import (
    FITS,
    Fit,
    blurred_ground,
    cover,
    fitted,
    out_of_focus,
    tile,
)
from matte.configs.lengths import Length
from matte.errors import PictureError, SettingError

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
    out = fitted(Image(np.full((h, w, 3), 77, np.uint8)), rows, columns, fit, quick)
    assert out.shape == (rows, columns, 3)
    assert (out == 77).all()


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_picture_of_the_size_stays_as_it_is(quick: bool, fit: Fit, dtype: type[Any]) -> None:
    picture = noise(13, 17, dtype)
    before = picture.copy()
    out = fitted(picture, 13, 17, fit, quick)
    assert out.dtype == dtype
    assert np.array_equal(out, before)
    assert np.array_equal(picture, before)


def test_an_unknown_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="fit = 'zoom': give cover, contain, stretch, tile"):
        composite(noise(2, 2), np.ones((2, 2)), "white", fit="zoom")  # type: ignore[arg-type]  # tested


def test_cover_keeps_the_middle() -> None:
    stripes = np.zeros((10, 30, 3), np.uint8)
    stripes[:, 10:20] = 255
    assert (cover(Image(stripes), 10, 10) == 255).all()
    assert (cover(Image(stripes), 20, 18) == 255).all()


def test_extreme_pictures_cost_no_more_than_the_result() -> None:
    thin = Image(np.full((1, 100_000, 3), 9, np.uint8))
    for fit in FITS:
        assert (fitted(thin, 3000, 2, fit) == 9).all()
        assert (fitted(Image(thin.transpose(1, 0, 2)), 2, 3000, fit) == 9).all()


@pytest.mark.parametrize("dtype", DEPTHS)
def test_contain_shows_the_whole_picture(dtype: type[Any]) -> None:
    picture = noise(20, 40, dtype)
    out = fitted(picture, 60, 40, "contain")
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


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("dtype", DEPTHS)
@given(
    h=st.integers(1, 60),
    w=st.integers(1, 60),
    value=st.integers(0, 255),
    radius=st.floats(0.01, 200),
    seed=st.integers(0, 99),
)
def test_a_plain_ground_stays_plain(
    quick: bool, dtype: type[Any], h: int, w: int, value: int, radius: float, seed: int
) -> None:
    deep = value * (np.iinfo(dtype).max // 255)
    random = np.random.default_rng(seed)
    alpha = Alpha(np.clip(3 * random.random((h, w)) - 2.2, 0, 1).astype(np.float32))
    alpha[0, 0] = 0
    image = np.full((h, w, 3), deep, dtype)
    out = out_of_focus(Image(image), alpha, radius, quick)
    assert out.dtype == dtype
    assert np.abs(out.astype(int) - deep).max() <= (0 if dtype == np.uint8 else 1)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("percent", [1, 2, 8])
def test_the_subject_leaves_no_halo(quick: bool, percent: float) -> None:
    image = np.full((300, 400, 3), 120, np.uint8)
    alpha = np.zeros((300, 400), np.float32)
    alpha[100:, 150:250] = 1
    alpha[99, 150:250] = 0.5
    image[100:, 150:250] = 255
    image[99, 150:250] = 187
    before = image.copy(), alpha.copy()
    out = out_of_focus(Image(image), Alpha(alpha), percent * 4, quick)
    assert (out == 120).all()
    assert np.array_equal(image, before[0])
    assert np.array_equal(alpha, before[1])


@pytest.mark.parametrize("quick", [False, True])
def test_a_light_becomes_a_disc_and_keeps_its_light(quick: bool) -> None:
    image = np.zeros((201, 201, 3), np.uint8)
    image[90:111, 90:111] = 255
    alpha = Alpha(np.zeros((201, 201), np.float32))
    out = out_of_focus(Image(image), alpha, 40, quick)
    near = np.hypot(*(np.mgrid[:201, :201] - 100)) < 25
    far = np.hypot(*(np.mgrid[:201, :201] - 100)) > 65
    # 21² of light over a disc of 40² π: 0.088, stored as 83.
    assert np.abs(out[near].astype(int) - 83).max() <= 8
    assert (out[far] == 0).all()


@pytest.mark.parametrize("value", [0.3, 0.98, 1])
def test_a_subject_everywhere_is_no_failure(value: float) -> None:
    image = np.full((30, 40, 3), 120, np.uint8)
    out = blurred_ground(image, np.full((30, 40), value, np.float32))
    assert (out == (120 if value < 1 else 0)).all()


def test_sizes_must_agree() -> None:
    with pytest.raises(PictureError, match="the alpha is 3×2"):
        blurred_ground(np.zeros((3, 3, 3), np.uint8), np.zeros((2, 3), np.float32))


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("radius", [3, 11, 24])
def test_a_blur_in_strips_is_that_of_the_whole(
    radius: int, dtype: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = noise(143, 98, dtype)
    alpha = np.clip(np.hypot(*np.mgrid[-70:73, -49:49]) / 20 - 1, 0, 1).astype(np.float32)
    found = []
    for pixels in (1 << 30, 500):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
        found.append(blurred_ground(image, 1 - alpha, Length(radius)).astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1
