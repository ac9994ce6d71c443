"""Networks that all requests share."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from matte.errors import WeightsError
from matte.server.networks import SharedNetworks
from tests.server.running import quick_options

RUNTIME = quick_options().settings.config.runtime


def test_a_network_is_opened_once_for_all() -> None:
    networks = SharedNetworks(RUNTIME)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: networks.network("segmenter", "person-light"), range(4)))
    assert all(each is found[0] for each in found)


def test_what_can_not_be_opened_is_tried_again() -> None:
    networks = SharedNetworks(RUNTIME)
    for _ in range(2):
        with pytest.raises(WeightsError):
            networks.network("segmenter", "none")
