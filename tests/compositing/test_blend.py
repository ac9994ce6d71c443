from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha
from matte.compositing.blend import BLENDS, Blend
from matte.compositing.grounds import FITS, Fit
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


DEPTHS = (np.uint8, np.uint16)
VALUES = st.integers(0, 255)
SHARES = st.floats(0, 1, width=32)


def one(value: int, dtype: type[Any]) -> NDArray[Any]:
    return np.full((1, 1, 3), value * (np.iinfo(dtype).max // 255), dtype)


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
@given(f=VALUES, b=VALUES, a=SHARES, more=SHARES)
def test_between_and_monotone(
    blend: Blend, dtype: type[Any], f: int, b: int, a: float, more: float
) -> None:
    def at(share: float) -> int:
        alpha = np.array([[share]], np.float32)
        return int(matte.composite(one(f, dtype), alpha, one(b, dtype), blend=blend)[0, 0, 0])

    deep = int(np.iinfo(dtype).max // 255)
    assert at(0) == b * deep
    assert at(1) == f * deep
    assert min(f, b) * deep <= at(a) <= max(f, b) * deep
    low, high = sorted((a, more))
    assert (at(high) - at(low)) * (f - b) >= 0


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_what_is_the_same_stays_the_same(blend: Blend, dtype: type[Any]) -> None:
    every = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(-1, 256)
    picture = np.repeat(every[:, :, None], 3, axis=2)
    random = np.random.default_rng(0)
    alpha = random.random(every.shape).astype(np.float32)
    assert np.array_equal(matte.composite(picture, alpha, picture, blend=blend), picture)


def test_linear_mixes_light() -> None:
    half = np.array([[0.5]], np.float32)
    out = matte.composite(np.full((1, 1, 3), 255, np.uint8), half, "black", blend="linear")
    assert out[0, 0].tolist() == [188, 188, 188]


def test_an_unknown_blend_is_refused() -> None:
    with pytest.raises(SettingError, match="blend = 'gamma': give srgb or linear"):
        matte.composite(
            np.zeros((2, 2, 3), np.uint8),
            np.zeros((2, 2)),
            "white",
            blend="gamma",  # type: ignore[arg-type]  # what is tested
        )


@pytest.mark.parametrize("fit", FITS)
def test_backgrounds_of_any_size_and_depth(fit: Fit) -> None:
    picture = np.full((3, 7, 3), 5 * 257, np.uint16)
    out = matte.composite(np.zeros((9, 4, 3), np.uint8), np.zeros((9, 4)), picture, fit=fit)
    assert out.dtype == np.uint8
    assert (out == 5).all()


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (37, 23)])
def test_strips_give_what_the_whole_gives(
    blend: Blend, dtype: type[Any], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    top = np.iinfo(dtype).max + 1
    foreground, ground = (random.integers(0, top, (*size, 3), dtype) for _ in range(2))
    alpha = np.clip(3 * random.random(size) - 1, 0, 1).astype(np.float32)
    for background in (ground, "#123456"):
        found = []
        for pixels in (1 << 30, 100):
            monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
            found.append(matte.composite(foreground, alpha, background, blend=blend))
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[0][alpha == 1], foreground[alpha == 1])
