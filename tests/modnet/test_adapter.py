import numpy as np
import pytest

from matte.arrays import Image
from matte.errors import SettingError, WeightsError
from matte.modnet.adapter import Modnet, network_size
from matte.runtime.memory import MIN_NETWORK_PIXELS, MODNET_COST, MemoryLimit
from tests.fakes import FakeSession


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1080, 1920), (512, 896)),  # the short side becomes 512, 910 is floored to 896
        ((300, 400), (512, 672)),  # small pictures grow
        ((500, 900), (480, 896)),  # one side on each side of 512: kept, floored to 32
        ((512, 512), (512, 512)),
        ((5, 900), (32, 896)),
    ],
)
def test_reference_sizes_are_the_released_codes(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert network_size(*size) == expected


def test_networks_of_another_size_have_the_same_rule() -> None:
    assert network_size(1080, 1920, 256) == (256, 448)


def test_pictures_are_fed_from_minus_one_to_one() -> None:
    session = FakeSession(lambda blob: blob[:, :1] * np.float32(0.5) + np.float32(0.5))
    image = np.zeros((512, 512, 3), np.uint8)
    image[:, 256:] = 255
    alpha = Modnet(session).matte(Image(image))
    assert session.seen[0].min() == -1
    assert session.seen[0].max() == 1
    assert alpha.dtype == np.float32
    assert np.array_equal(alpha[:, 256:] == 1, np.ones((512, 256)))
    assert (alpha[:, :256] == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (700, 33), (61, 97)])
def test_alpha_has_the_pictures_size(shape: tuple[int, int]) -> None:
    modnet = Modnet(FakeSession(lambda blob: blob[:, :1]))
    alpha = modnet.matte(Image(np.full((*shape, 3), 65535, np.uint16)))
    assert alpha.shape == shape
    assert (alpha == 1).all()


def test_fixed_networks_get_their_size() -> None:
    session = FakeSession(lambda blob: blob[:, :1], shape=(1, 3, 64, 96))
    Modnet(session).matte(Image(np.full((50, 60, 3), 255, np.uint8)))
    assert session.seen[0].shape == (1, 3, 64, 96)


def test_other_networks_are_refused() -> None:
    with pytest.raises(WeightsError, match="give a MODNet"):
        Modnet(FakeSession(lambda blob: blob, shape=(1, 4, 64, 64)))
    with pytest.raises(WeightsError, match="give a MODNet"):
        Modnet(FakeSession(lambda blob: blob)).matte(Image(np.zeros((50, 60, 3), np.uint8)))


@pytest.mark.parametrize(
    ("told", "size", "fed"),
    [({}, 0, 512), ({"matte.size": "128"}, 0, 128), ({"matte.size": "128"}, 64, 64)],
)
def test_a_network_is_fed_at_the_size_that_it_was_trained_at(
    told: dict[str, str], size: int, fed: int
) -> None:
    session = FakeSession(lambda blob: blob[:, :1], metadata=told)
    Modnet(session, size=size).matte(Image(np.full((600, 600, 3), 255, np.uint8)))
    assert session.seen[0].shape == (1, 3, fed, fed)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"matte\.size is '5'"):
        Modnet(FakeSession(lambda blob: blob[:, :1], metadata={"matte.size": "5"}))


@pytest.mark.parametrize("shape", [(319, 1), (1, 60), (160, 1), (50, 50_000), (1, 200_000), (9, 9)])
def test_no_shape_makes_a_large_input(shape: tuple[int, int]) -> None:
    height, width = network_size(*shape)
    assert height * width <= 4 * 512**2
    assert min(height, width) >= 32


@pytest.mark.parametrize("shape", [(50, 50_000), (2000, 2000), (319, 1), (1, 1)])
@pytest.mark.parametrize("limit", [290 << 20, 320 << 20, 600 << 20])
def test_an_input_is_no_larger_than_memory_allows(shape: tuple[int, int], limit: int) -> None:
    session = FakeSession(lambda blob: blob[:, :1])
    image = Image(np.full((*shape, 3), 255, np.uint8))
    memory = MemoryLimit(limit)
    Modnet(session, memory=memory).matte(image)
    pixels = session.seen[0][0, 0].size
    assert pixels <= max(MIN_NETWORK_PIXELS, memory.network_memory(image, MODNET_COST).max_pixels)


def test_a_native_input_that_memory_does_not_allow_is_refused() -> None:
    session = FakeSession(lambda blob: blob[:, :1])
    image = Image(np.zeros((1024, 1024, 3), np.uint8))
    with pytest.raises(SettingError, match="raise --max-memory, or leave --modnet-protocol out"):
        Modnet(session, "native", memory=MemoryLimit(500 << 20)).matte(image)
    assert session.seen == []
