import numpy as np
import pytest
from PIL import Image as Pillow

from matte.imaging.lanczos import resize_lanczos

NUMBERS = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(7, 31), (40, 25), (1, 1), (90, 120)])
def test_eight_bits_are_resized_as_pillow_does(size: tuple[int, int]) -> None:
    image = NUMBERS.integers(0, 256, (30, 50, 3), np.uint8)
    expected = Pillow.fromarray(image).resize(size[::-1], Pillow.Resampling.LANCZOS)
    assert np.array_equal(resize_lanczos(image, *size), np.asarray(expected))


@pytest.mark.parametrize("shape", [(30, 50), (30, 50, 3), (30, 50, 1)])
def test_other_types_agree_with_eight_bits(shape: tuple[int, ...]) -> None:
    image = NUMBERS.integers(80, 180, shape, np.uint8)  # Pillow's bytes are clipped on the way
    plain = image if shape[-1] != 1 else image[:, :, 0]
    expected = resize_lanczos(plain, 12, 20).astype(int).reshape(12, 20, *shape[2:])
    deep = resize_lanczos(image.astype(np.uint16) * 257, 12, 20)
    floats = resize_lanczos(image.astype(np.float32), 12, 20)
    assert deep.dtype == np.uint16
    assert floats.dtype == np.float32
    assert deep.shape == floats.shape == (12, 20, *shape[2:])
    assert np.abs(deep / 257 - expected).max() <= 1
    assert np.abs(np.clip(floats, 0, 255) - expected).max() <= 1


def test_a_step_stays_within_sixteen_bits() -> None:
    """Lanczos' filter overshoots at it."""
    step = np.zeros((8, 8), np.uint16)
    step[:, 4:] = 65535
    large = resize_lanczos(step, 64, 64)
    assert (large.min(), large.max()) == (0, 65535)
    assert resize_lanczos(step.astype(np.float32), 64, 64).max() > 65535


def test_the_same_size_is_the_same() -> None:
    values = NUMBERS.random((5, 6), np.float32)
    assert np.array_equal(resize_lanczos(values, 5, 6), values)
