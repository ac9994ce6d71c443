"""One server for the tests that change nothing of it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import SAMPLE
from tests.server.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(home_of_run: object) -> Iterator[RunningServer]:
    """A server that lets everybody in."""
    with running_server() as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client of the server."""
    with server.client() as found:
        yield found


@pytest.fixture(scope="session")
def portrait(server: RunningServer) -> str:
    """Where the sample portrait lies at the server."""
    with server.client() as client, SAMPLE.open("rb") as file:
        sent = client.post("/v1/pictures", files={"image": file})
        place: str = sent.json()["links"]["self"]
    return place
