import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matte.arrays import Image, Trimap
from matte.errors import SettingError
from matte.refiner.protocols import PROTOCOLS, network_inputs, pad_for_network, unknown_ratio

SIDES = st.integers(1, 70)


def numbered(height: int, width: int) -> tuple[Image, Trimap]:
    """A picture whose pixels tell where they are, and a trimap of columns."""
    y, x = np.mgrid[:height, :width]
    levels = np.array([0, 128, 255], np.uint8)
    return Image(np.stack([y, x, y + x], axis=2).astype(np.uint8)), Trimap(levels[x // 2 % 3])


def mirrored(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Where a walk to and fro between the first and the last pixel is after `index` steps."""
    period = max(1, 2 * (length - 1))
    return (length - 1) - np.abs(index % period - (length - 1))


@given(SIDES, SIDES, st.sampled_from(sorted(PROTOCOLS)))
def test_borders_are_reflections(height: int, width: int, protocol: str) -> None:
    image, trimap = numbered(height, width)
    found = pad_for_network(image, trimap, protocol)
    rows, columns = found.trimap.shape
    assert found.image.shape == (rows, columns, 3)
    border = {"demo": 32, "tester": 0}[protocol]
    for padded_side, side in ((rows, height), (columns, width)):
        assert padded_side % 32 == 0
        assert 0 <= padded_side - side - 2 * border < 32
    y = mirrored(np.arange(rows) - border, height)
    x = mirrored(np.arange(columns) - border, width)
    assert np.array_equal(found.image, image[np.ix_(y, x)])
    assert np.array_equal(found.trimap, trimap[np.ix_(y, x)])
    picture = found.crop(found.image[:, :, 0].astype(np.float32))
    assert np.array_equal(picture, image[:, :, 0])


@pytest.mark.parametrize(("protocol", "size"), [("demo", (288, 384)), ("tester", (224, 320))])
def test_sizes_are_those_of_the_released_code(protocol: str, size: tuple[int, int]) -> None:
    assert pad_for_network(*numbered(203, 311), protocol).trimap.shape == size


def test_whole_multiples_get_no_more_than_the_border() -> None:
    assert pad_for_network(*numbered(64, 96), "tester").trimap.shape == (64, 96)
    assert pad_for_network(*numbered(64, 96), "demo").trimap.shape == (128, 160)


def test_an_unknown_protocol_gets_a_hint() -> None:
    with pytest.raises(SettingError, match="no protocol 'test': did you mean 'tester'"):
        pad_for_network(*numbered(4, 4), "test")


def test_every_sixteenth_pixel_counts() -> None:
    trimap = np.zeros((64, 64), np.uint8)
    trimap[1:16, 1:16] = 128
    assert unknown_ratio(Trimap(trimap)) == 0
    trimap[16, 32] = trimap[48, 0] = 128
    assert unknown_ratio(Trimap(trimap)) == 2 / 16


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_the_network_gets_plain_numbers(depth: type[np.uint8 | np.uint16]) -> None:
    most = np.iinfo(depth).max
    image = np.zeros((32, 64, 3), depth)
    image[0, 1] = most, 0, most // 5
    trimap = Trimap(np.repeat(np.array([[0, 128, 255, 0]], np.uint8), 16, axis=1).repeat(32, 0))
    inputs = network_inputs(Image(image), trimap)
    assert {name: v.shape for name, v in inputs.items()} == {
        "image": (1, 3, 32, 64),
        "trimap": (1, 1, 32, 64),
        "unknown_ratio": (1,),
    }
    assert {v.dtype for v in inputs.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(inputs["image"][0, :, 0, 1], [1, 0, 0.2])
    assert np.array_equal(inputs["trimap"][0, 0, 5, ::16], [0, 0.5, 1, 0])
    assert inputs["unknown_ratio"] == -1
    assert network_inputs(Image(image), trimap, 0.25)["unknown_ratio"] == 0.25
