import numpy as np
import pytest

from matte.imaging.bit_depth import convert_depth

BYTE, WORD = np.dtype(np.uint8), np.dtype(np.uint16)


def test_every_16_bit_value_goes_to_the_nearest_of_8() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(convert_depth(values, BYTE), np.rint(values / 257))


def test_there_and_back_nothing_is_lost() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    deep = convert_depth(values, WORD)
    assert deep.dtype == WORD
    assert deep.max() == 65535
    assert np.array_equal(convert_depth(deep, BYTE), values)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (5, 1, 3), (3, 7, 4), (6, 2)])
def test_shapes_stay(shape: tuple[int, ...]) -> None:
    for source, target in ((BYTE, WORD), (WORD, BYTE)):
        out = convert_depth(np.ones(shape, source), target)
        assert out.shape == shape
        assert out.dtype == target
