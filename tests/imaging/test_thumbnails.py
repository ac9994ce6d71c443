import numpy as np
import pytest

from matte.imaging.thumbnails import grey_to_rgb, thumbnail, to_8_bits


@pytest.mark.parametrize(
    ("shape", "expected"), [((300, 600), (50, 100)), ((40, 20), (40, 20)), ((1, 900), (1, 100))]
)
def test_only_what_is_larger_is_shrunk(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert thumbnail(np.zeros((*shape, 3), np.uint8), 100).shape == (*expected, 3)


def test_of_16_bits_the_upper_8_count() -> None:
    deep = np.array([[0, 255, 256, 65535]], np.uint16)
    assert to_8_bits(deep).tolist() == [[0, 0, 1, 255]]
    assert to_8_bits(np.array([7], np.uint8)).tolist() == [7]


def test_alpha_and_masks_become_grey() -> None:
    alpha = np.array([[0, 0.5, 1]], np.float32)
    assert grey_to_rgb(alpha)[0, :, 0].tolist() == [0, 128, 255]
    mask = np.array([[0, 128, 255]], np.uint8)
    assert np.array_equal(grey_to_rgb(mask), np.repeat(mask[:, :, None], 3, axis=2))
