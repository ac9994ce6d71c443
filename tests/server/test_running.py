"""The server as a process: its socket, and clients that say nothing."""

import socket
import time

import httpx
import pytest

from matte.errors import SettingError
from matte.server import running
from matte.server.running import new_token, open_socket
from tests.server.running import running_server


def test_a_taken_port_is_told() -> None:
    taken = open_socket("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(SettingError, match=rf"can't listen at 127\.0\.0\.1:{port}"):
        open_socket("127.0.0.1", port)
    taken.close()
    with pytest.raises(SettingError, match="can't listen at"):
        open_socket("no such host", 80)


def test_a_silent_client_is_given_up(monkeypatch: pytest.MonkeyPatch, home_of_run: object) -> None:
    monkeypatch.setattr(running, "LOOK_SECONDS", 0.1)
    with running_server() as server:
        port = httpx.URL(server.address).port
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\nHost:")
            silent.settimeout(10)
            begin = time.monotonic()
            assert silent.recv(10) == b""
            assert time.monotonic() - begin < 9


def test_tokens_are_long() -> None:
    assert len(new_token()) >= 32
    assert new_token() != new_token()
