"""What a network's file and outputs may say."""

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.errors import WeightsError
from matte.runtime.session import (
    BAND_OUTPUT,
    parse_trained_size,
    picture_input,
    predict_maps,
)
from tests.fakes import FakeSession


def test_a_size_that_is_none_is_refused() -> None:
    assert parse_trained_size({}) == 0
    assert parse_trained_size({"matte.size": "448"}) == 448
    for told in ("4480000", "big", "9" * 20):
        with pytest.raises(WeightsError, match=f"the network's matte.size is '{told}'"):
            parse_trained_size({"matte.size": told})
    with pytest.raises(WeightsError, match=r"matte\.size is '9{20}': export it again"):
        parse_trained_size({"matte.size": "9" * 5000})  # which Python refuses to read


def session(shape: tuple[int | None, ...], gain: float = 1.0) -> FakeSession:
    return FakeSession(lambda picture: gain * picture[:, :1], shape)


def test_a_network_of_one_picture_is_recognised() -> None:
    assert picture_input(session((None, 3, None, None)), "segmenter") == ("image", None)
    assert picture_input(session((1, 3, 64, 96)), "segmenter") == ("image", (64, 96))


@pytest.mark.parametrize("shape", [(1, 4, 64, 64), (1, 3, None, 64), (3,)])
def test_other_networks_are_refused(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(WeightsError, match="give a segmenter with one RGB input"):
        picture_input(session(shape), "segmenter")


@pytest.mark.parametrize("gain", [2.0, -1.0, np.nan])
def test_values_that_are_no_probabilities_are_refused(gain: float) -> None:
    picture = np.ones((1, 3, 4, 4), np.float32)
    free = (None, 3, None, None)
    assert predict_maps(session(free), "image", picture, "segmenter").shape == (1, 4, 4)
    with pytest.raises(WeightsError, match="whose last layer is a sigmoid"):
        predict_maps(session(free, gain), "image", picture, "segmenter")


def first_maps(maps: int, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return picture[:, :maps]


def test_more_maps_than_expected_are_refused() -> None:
    picture = np.ones((1, 3, 4, 4), np.float32)
    for maps, name in ((2, "mask"), (1, BAND_OUTPUT), (3, BAND_OUTPUT)):
        other = FakeSession(partial(first_maps, maps), output=name)
        with pytest.raises(WeightsError, match="give a modnet with one output"):
            predict_maps(other, "image", picture, "modnet")
    both = FakeSession(lambda image: image[:, :2], output=BAND_OUTPUT)
    assert predict_maps(both, "image", picture, "segmenter").shape == (2, 4, 4)
