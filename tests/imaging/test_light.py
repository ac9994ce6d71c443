from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.imaging.bit_depth import convert_depth
from matte.imaging.light import Curve, decode_light, encode_light, to_light, to_values

DEPTHS = (np.uint8, np.uint16)


def all_values(dtype: type[Any]) -> Image:
    row = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    return Image(np.repeat(row[None, :, None], 3, axis=2))


@pytest.mark.parametrize("dtype", DEPTHS)
def test_there_and_back_is_exact(dtype: type[Any]) -> None:
    values = all_values(dtype)
    light = to_light(values)
    assert light.dtype == np.float32
    assert light[0, 0, 0] == 0
    assert light[0, -1, 0] == 1
    assert (np.diff(light[0, :, 0]) > 0).all()
    assert np.array_equal(to_values(light, np.dtype(dtype)), values)


def test_the_curve() -> None:
    # IEC 61966-2-1: half the light is stored as 188 of 255; below 11 it is a line.
    assert to_values(np.full((1, 1, 3), 0.5, np.float32), np.dtype(np.uint8))[0, 0, 0] == 188
    assert to_light(np.array([10], np.uint8))[0] == pytest.approx(10 / 255 / 12.92)


def test_light_beyond_what_can_be_stored_is_cut() -> None:
    light = np.array([[[-0.1, 1.2, 1]]], np.float32)
    assert to_values(light, np.dtype(np.uint16))[0, 0].tolist() == [0, 65535, 65535]


def test_depths() -> None:
    bytes_ = all_values(np.uint8)
    words = convert_depth(bytes_, np.dtype(np.uint16))
    assert words[0, -1, 0] == 65535
    assert np.array_equal(convert_depth(words, np.dtype(np.uint8)), bytes_)
    deep = all_values(np.uint16)
    expected = np.rint(deep / 257).astype(np.uint8)
    assert np.array_equal(convert_depth(deep, np.dtype(np.uint8)), expected)


@pytest.mark.parametrize("curve", ["srgb", "pq", "hlg"])
def test_each_curve_is_its_own_inverse(curve: Curve) -> None:
    values = np.arange(0, 65536, 17, dtype=np.uint16)
    light = to_light(values, curve)
    assert (np.diff(light) > 0).all()
    assert light[0] == pytest.approx(0, abs=1e-6)
    assert light[-1] == pytest.approx(1, abs=1e-3)
    assert np.abs(to_values(light, np.dtype(np.uint16), curve).astype(int) - values).max() <= 1


def test_curves_are_those_of_bt2100() -> None:
    """Of its table 4: 100 cd/m² in PQ; of HLG a twelfth of the light is half of the signal."""
    assert encode_light(np.array(0.01), "pq") == pytest.approx(0.5081, abs=1e-4)
    assert encode_light(np.array(1 / 12), "hlg") == pytest.approx(0.5)
    assert decode_light(np.array(0.75), "hlg") == pytest.approx(0.265, abs=1e-3)
