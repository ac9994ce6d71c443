import numpy as np
import pytest

from matte.errors import WeightsError
from matte.pipeline.peer_maps import read_map
from matte.weights.peer_settings import PeerSettings

STRETCHED = PeerSettings(stretch_output=True)


def test_a_map_is_stretched_to_its_range() -> None:
    values = np.array([[[[-3, 1], [5, 1]]]], np.float32)
    assert read_map([values], STRETCHED, "x").tolist() == [[0, 0.5], [1, 0.5]]
    plain = np.full((1, 1, 2, 2), 7, np.float32)
    assert not read_map([plain], STRETCHED, "x").any(), "nothing stands out"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", [STRETCHED, PeerSettings()])
def test_what_is_no_number_is_refused(rule: PeerSettings, value: float) -> None:
    with pytest.raises(WeightsError, match=r"x gives .*: set its 'activation'"):
        read_map([np.full((1, 1, 2, 3), value, np.float32)], rule, "x")


def test_the_largest_range_does_not_overflow() -> None:
    most = np.finfo(np.float32).max
    with pytest.raises(WeightsError, match="set its 'activation'"):
        read_map([np.array([[[[most, 0]]]], np.float32)], PeerSettings(), "x")
    logits = np.array([[[[most, -most]]]], np.float32)
    assert read_map([logits], PeerSettings(activation="sigmoid"), "x").tolist() == [[1, 0]]


@pytest.mark.parametrize("shape", [(), (5,), (1, 1, 0, 4)])
def test_what_is_no_map_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(WeightsError, match="name its map as 'output'"):
        read_map([np.zeros(shape, np.float32)], PeerSettings(), "x")


def test_channels_last() -> None:
    values = np.arange(12, dtype=np.float32).reshape(1, 2, 3, 2) / 12
    found = read_map([values], PeerSettings(layout="nhwc", channel=1), "x")
    assert np.array_equal(found, values[0, :, :, 1])
