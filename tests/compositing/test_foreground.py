import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Alpha, Image
from matte.compositing.foreground import estimate_foreground
from tests.conftest import disc


def test_the_old_background_is_taken_out() -> None:
    image, alpha = disc(96, 128)
    estimated = estimate_foreground(image, alpha).astype(float)
    soft = (alpha > 0.1) & (alpha < 0.9)
    off = np.abs(estimated - [230, 180, 60])[soft].mean()
    untouched = np.abs(image - np.array([230.0, 180, 60]))[soft].mean()
    assert off < 0.15 * untouched  # 0.114 measured


def test_opaque_pixels_are_the_pictures() -> None:
    random = np.random.default_rng(0)
    image = Image(random.integers(0, 65536, (50, 60, 3), np.uint16))
    alpha = Alpha(np.clip(random.random((50, 60)) * 3 - 1, 0, 1).astype(np.float32))
    before = image.copy()
    estimated = estimate_foreground(image, alpha)
    assert estimated.dtype == np.uint16
    assert np.array_equal(estimated[alpha == 1], image[alpha == 1])
    assert np.array_equal(image, before)


def test_far_from_the_subject_is_black() -> None:
    image = Image(np.full((200, 200, 3), 99, np.uint8))
    alpha = np.zeros((200, 200), np.float32)
    alpha[:9, :9], alpha[9, 9] = 1, 0.5
    assert (estimate_foreground(image, Alpha(alpha))[60:, 60:] == 0).all()


@pytest.mark.parametrize("value", [0, 1])
def test_without_soft_pixels_nothing_is_estimated(value: int) -> None:
    image = Image(np.full((3, 4, 3), 99, np.uint8))
    alpha = Alpha(np.full((3, 4), value, np.float32))
    assert (estimate_foreground(image, alpha) == 99 * value).all()


def test_one_soft_pixel_is_enough() -> None:
    out = estimate_foreground(
        Image(np.full((1, 1, 3), 80, np.uint8)), Alpha(np.full((1, 1), 0.5, "f"))
    )
    assert out.shape == (1, 1, 3)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_large_pictures_are_as_clean(scale: int) -> None:
    image, alpha = disc(500 * scale, 800 * scale)
    estimated = estimate_foreground(image, alpha).astype(float)
    soft = (alpha > 0.1) & (alpha < 0.9)
    off = np.abs(estimated - [230, 180, 60])[soft].mean()
    assert off < 3


@given(st.integers(1, 30), st.integers(1, 30) | st.just(3000), st.integers(0, 99))
def test_any_size_will_do(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    image = Image(random.integers(0, 256, (height, width, 3), np.uint8))
    alpha = Alpha(np.clip(3 * random.random((height, width)) - 1, 0, 1).astype(np.float32))
    before = image.copy(), alpha.copy()
    estimated = estimate_foreground(image, alpha)
    assert estimated.shape == image.shape
    assert np.array_equal(estimated[alpha == 1], image[alpha == 1])
    assert np.array_equal(image, before[0])
    assert np.array_equal(alpha, before[1])


@pytest.mark.parametrize("value", [0, 7, 255])
def test_one_colour_is_its_own_foreground(value: int) -> None:
    image = Image(np.full((60, 80, 3), value, np.uint8))
    random = np.random.default_rng(0)
    alpha = Alpha(np.clip(3 * random.random((60, 80)) - 1, 0, 1).astype(np.float32))
    seen = estimate_foreground(image, alpha)[alpha > 0.1].astype(int)
    assert np.abs(seen - value).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 300), (300, 1), (61, 47), (431, 3101)])
def test_strips_give_what_the_whole_gives(
    size: tuple[int, int], dtype: type[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    image = Image(random.integers(0, np.iinfo(dtype).max + 1, (*size, 3), dtype))
    alpha = Alpha(np.clip(3 * random.random(size) - 1, 0, 1).astype(np.float32))
    found = []
    for pixels in (1 << 30, 4000):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
        found.append(estimate_foreground(image, alpha).astype(int))
    off = np.abs(found[0] - found[1])
    assert off.max() <= 1
    assert (off > 0).mean() < 1e-4


@pytest.mark.parametrize("detail", [640, 320, 240])
def test_less_detail_is_nearly_as_clean(detail: int) -> None:
    image, alpha = disc(360, 640)
    estimated = estimate_foreground(image, alpha, detail=detail).astype(float)
    soft = (alpha > 0.1) & (alpha < 0.9)
    assert (
        np.abs(estimated - [230, 180, 60])[soft].mean() < 1
    )  # 0.55 measured; the picture is 61 apart
    assert np.array_equal(estimated[alpha == 1], image[alpha == 1])
    assert (estimated[:3][alpha[:3] == 0] == 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (61, 47), (97, 301)])
def test_less_detail_in_any_size(size: tuple[int, int], dtype: type[np.uint8]) -> None:
    random = np.random.default_rng(0)
    image = Image(random.integers(0, np.iinfo(dtype).max + 1, (*size, 3), dtype))
    alpha = Alpha(np.clip(3 * random.random(size) - 1, 0, 1).astype(np.float32))
    estimated = estimate_foreground(image, alpha, detail=40)
    assert estimated.shape == image.shape
    assert estimated.dtype == dtype
    assert np.array_equal(estimated[alpha == 1], image[alpha == 1])


def test_pictures_without_that_much_detail_stay_as_they_are() -> None:
    image, alpha = disc(96, 128)
    assert np.array_equal(
        estimate_foreground(image, alpha, detail=1000), estimate_foreground(image, alpha)
    )
