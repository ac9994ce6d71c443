from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Alpha, Image
from matte.compositing.defocus import defocus_background

DEPTHS = (np.uint8, np.uint16)


def noise(height: int, width: int, dtype: type[Any] = np.uint8) -> Image:
    random = np.random.default_rng(0)
    return Image(random.integers(0, np.iinfo(dtype).max + 1, (height, width, 3), dtype))


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
    out = defocus_background(Image(image), alpha, radius, quick)
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
    out = defocus_background(Image(image), Alpha(alpha), percent * 4, quick)
    assert (out == 120).all()
    assert np.array_equal(image, before[0])
    assert np.array_equal(alpha, before[1])


@pytest.mark.parametrize("quick", [False, True])
def test_a_light_becomes_a_disc_and_keeps_its_light(quick: bool) -> None:
    image = np.zeros((201, 201, 3), np.uint8)
    image[90:111, 90:111] = 255
    alpha = Alpha(np.zeros((201, 201), np.float32))
    out = defocus_background(Image(image), alpha, 40, quick)
    near = np.hypot(*(np.mgrid[:201, :201] - 100)) < 25
    far = np.hypot(*(np.mgrid[:201, :201] - 100)) > 65
    # 21² of light over a disc of 40² π: 0.088, stored as 83.
    assert np.abs(out[near].astype(int) - 83).max() <= 8
    assert (out[far] == 0).all()


@pytest.mark.parametrize("value", [0.3, 0.98, 1])
def test_a_subject_everywhere_is_no_failure(value: float) -> None:
    image = np.full((30, 40, 3), 120, np.uint8)
    alpha = Alpha(np.full((30, 40), value, np.float32))
    out = defocus_background(Image(image), alpha, 0.8)
    assert (out == (120 if value < 1 else 0)).all()


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
        found.append(defocus_background(image, Alpha(1 - alpha), radius).astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1
