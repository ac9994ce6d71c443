"""What was found by attacking the server: each is a small, fixed case."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import httpx
import numpy as np
import pytest

from matte.server import running
from matte.server.cache import StepCache
from matte.server.guard import Guard
from matte.server.sweep_routes import SweepJobs
from tests.server.running import RunningServer, png, quick_options, running_server, wait_for

SMALL = png(np.full((40, 50, 3), 90, np.uint8))
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def stage(server: RunningServer) -> Iterator[threading.Event]:
    """Holds the only thread that works until the event is set."""
    free = threading.Event()
    held = server.state.queue._pool.submit(free.wait, 30)
    yield free
    free.set()
    held.result()


def connect(server: RunningServer) -> socket.socket:
    """Return a connection to a server."""
    port = int(server.address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def send_picture(client: httpx.Client, data: bytes = SMALL) -> str:
    """Return where a picture lies that was sent."""
    place: str = client.post("/v1/pictures", files={"image": data}).json()["links"]["self"]
    return place


def test_many_fields_are_refused(client: httpx.Client) -> None:
    answer = client.post("/v1.0/removebg", data={f"f{n}": "1" for n in range(100)})
    assert answer.status_code == 400
    assert "64 fields" in answer.json()["errors"][0]["title"]


def test_a_picture_deleted_while_its_job_waits_is_not_found(
    server: RunningServer, client: httpx.Client, stage: threading.Event
) -> None:
    stage.set()
    place = send_picture(client)
    server.state.cache.forget(place.rpartition("/")[2])
    again = threading.Event()
    held = server.state.queue._pool.submit(again.wait, 30)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(client.get, f"{place}/mask")
        wait_for(lambda: server.state.queue.unfinished == 1)
        assert client.delete(place).status_code == 204
        again.set()
        assert asked.result().status_code == 404
    held.result()


def test_nothing_of_a_deleted_picture_is_kept() -> None:
    known = {"here"}
    cache = StepCache(100, known.__contains__)
    array = np.zeros(10, np.uint8)
    cache.keep(("here", "mask"), 1, (array,))
    cache.keep(("gone", "mask"), 1, (array,))
    assert cache.find(("gone", "mask")) is None
    assert cache.kept_bytes == 10


def test_a_picture_whose_client_went_away_is_forgotten(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    adding, go_on = threading.Event(), threading.Event()
    add = server.state.store.add

    def add_slowly(*values: Any) -> Any:
        adding.set()
        assert go_on.wait(10)
        return add(*values)

    monkeypatch.setattr(server.state.store, "add", add_slowly)
    before = server.state.store.count
    body = b'--B\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body += SMALL + b"\r\n--B--\r\n"
    head = f"Content-Length: {len(body)}\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(b"POST /v1/pictures HTTP/1.1\r\nHost: localhost\r\n" + head.encode())
        connection.sendall(body)
        assert adding.wait(10)
    time.sleep(0.1)  # until the server has seen that it is closed
    go_on.set()
    wait_for(lambda: server.state.queue.unfinished == 0)
    assert server.state.store.count == before


@pytest.mark.parametrize(
    "sent",
    [
        REQUEST + b"\r\n" + REQUEST,  # a second request that never ends
        b"POST /v1/zip HTTP/1.1\r\nHost: evil\r\nContent-Length: 9999\r\n\r\n",  # a refused body
    ],
)
def test_a_dribbling_client_is_given_up(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOOK_SECONDS", 0.15)
    with running_server() as server, connect(server) as connection:
        connection.sendall(sent)
        until = time.monotonic() + 5
        with pytest.raises(ConnectionError):  # noqa: PT012  # any of the calls
            while time.monotonic() < until:
                connection.sendall(b"x")
                time.sleep(0.02)


def test_too_many_connections_are_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MAX_CONNECTIONS", 2)
    with running_server() as server:
        others = [connect(server) for _ in range(2)]
        with server.client() as client:
            answer = client.get("/health")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "10"
        for each in others:
            each.close()


def test_a_sweep_goes_with_its_picture() -> None:
    jobs = SweepJobs()
    mine, other = jobs.add("mine", 1), jobs.add("other", 1)
    jobs.forget_picture("mine")
    assert list(jobs._jobs) == [other.id]
    assert mine.id != other.id


def test_a_full_disk_is_told(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: object, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SpooledTemporaryFile, "write", write)
    answer = client.post("/v1/matte", files={"image": SMALL})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "disk" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "is_own"), [("127.0.0.1:80", True), ("[::1]", True), ("10.0.0.7", True), ("x", False)]
)
def test_every_address_has_every_number(name: str, is_own: bool) -> None:
    guard = Guard(None, quick_options(host="0.0.0.0", token="x"), None, None)  # type: ignore[arg-type]  # unused here
    assert guard._is_own_host(name) is is_own


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals there")
def test_pictures_are_forgotten_when_the_terminal_is_closed(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "matte", "serve", "--port", "0", "--preset", "fast"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        wait_for(lambda: _answers(f"{address}health"))
        assert list(tmp_path.iterdir())
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
    assert not list(tmp_path.iterdir())


def _answers(address: str) -> bool:
    """Return whether a server is there."""
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.HTTPError:
        return False
