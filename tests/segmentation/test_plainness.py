"""Pictures in which nothing can be a subject."""

import numpy as np
import pytest

from matte.arrays import Image
from matte.segmentation.plainness import is_plain


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (240, 320)])
def test_one_colour_is_plain(shape: tuple[int, int], dtype: type[np.unsignedinteger]) -> None:
    image = np.zeros((*shape, 3), dtype)
    image[:] = np.array([200, 30, 90]) * (np.iinfo(dtype).max // 255)
    assert is_plain(Image(image))


def test_noise_is_plain() -> None:
    noise = np.random.default_rng(1).normal(128, 20, (480, 640, 3)).clip(0, 255)
    assert is_plain(Image(noise.astype(np.uint8)))


def test_whatever_is_seen_is_not_plain() -> None:
    image = np.full((480, 640, 3), 255, np.uint8)
    image[200:230, 300:330] = 225  # 0.3 % of the picture, and hardly darker
    assert not is_plain(Image(image))
    shaded = np.tile(np.linspace(100, 120, 640), (480, 1))[:, :, None].repeat(3, 2)
    assert not is_plain(Image(shaded.astype(np.uint8)))
