from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Alpha, Image
from matte.compositing.blend import BLENDS, Blend, blend_over

DEPTHS = (np.uint8, np.uint16)
VALUES = st.integers(0, 255)
SHARES = st.floats(0, 1, width=32)


def one(value: int, dtype: type[Any]) -> Image:
    return Image(np.full((1, 1, 3), value * (np.iinfo(dtype).max // 255), dtype))


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
@given(f=VALUES, b=VALUES, a=SHARES, more=SHARES)
def test_between_and_monotone(
    blend: Blend, dtype: type[Any], f: int, b: int, a: float, more: float
) -> None:
    def at(share: float) -> int:
        alpha = Alpha(np.array([[share]], np.float32))
        return int(blend_over(one(f, dtype), alpha, one(b, dtype), blend)[0, 0, 0])

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
    picture = Image(np.repeat(every[:, :, None], 3, axis=2))
    random = np.random.default_rng(0)
    alpha = Alpha(random.random(every.shape).astype(np.float32))
    assert np.array_equal(blend_over(picture, alpha, picture, blend), picture)


def test_linear_mixes_light() -> None:
    half = Alpha(np.array([[0.5]], np.float32))
    out = blend_over(one(255, np.uint8), half, one(0, np.uint8), "linear")
    assert out[0, 0].tolist() == [188, 188, 188]


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (37, 23)])
def test_strips_give_what_the_whole_gives(
    blend: Blend, dtype: type[Any], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    top = np.iinfo(dtype).max + 1
    foreground, picture = (Image(random.integers(0, top, (*size, 3), dtype)) for _ in range(2))
    alpha = Alpha(np.clip(3 * random.random(size) - 1, 0, 1).astype(np.float32))
    for background in (picture, Image(np.full((1, 1, 3), (18, 52, 86), np.uint8))):
        found = []
        for pixels in (1 << 30, 100):
            monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
            found.append(blend_over(foreground, alpha, background, blend))
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[0][alpha == 1], foreground[alpha == 1])


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("dtype", DEPTHS)
def test_one_pixel_is_a_background_of_its_colour(blend: Blend, dtype: type[Any]) -> None:
    random = np.random.default_rng(0)
    foreground = Image(random.integers(0, np.iinfo(dtype).max + 1, (37, 23, 3), dtype))
    alpha = Alpha(np.clip(3 * random.random((37, 23)) - 1, 0, 1).astype(np.float32))
    for behind in (np.uint8, np.uint16):
        pixel = Image(random.integers(0, np.iinfo(behind).max + 1, (1, 1, 3), behind))
        full = Image(np.repeat(np.repeat(pixel, 37, 0), 23, 1))
        found = blend_over(foreground, alpha, pixel, blend)
        assert np.array_equal(found, blend_over(foreground, alpha, full, blend))
