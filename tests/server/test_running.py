"""The server as a process: its socket, and clients that say nothing."""

import socket
import time

import httpx
import pytest

from matte.errors import SettingError
from matte.server import running
from matte.server.options import is_loopback
from matte.server.running import new_token, open_socket
from tests.server.running import RunningServer, quick_options, running_server


def test_a_taken_port_is_told() -> None:
    taken = open_socket("127.0.0.1", 0)
    port = taken.getsockname()[1]
    with pytest.raises(SettingError, match=rf"can't listen at 127\.0\.0\.1:{port}"):
        open_socket("127.0.0.1", port)
    taken.close()
    with pytest.raises(SettingError, match="can't listen at"):
        open_socket("no such host", 80)


def test_who_reaches_an_address() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "192.168.1.2", "box.example"):
        assert not is_loopback(host)
    quick_options(host="0.0.0.0", token="x" * 9).check_access(open_to_all=False)
    quick_options(host="0.0.0.0").check_access(open_to_all=True)
    with pytest.raises(SettingError, match="everybody"):
        quick_options(host="0.0.0.0").check_access(open_to_all=False)


def test_a_silent_client_is_given_up(monkeypatch: pytest.MonkeyPatch, home_of_run: object) -> None:
    monkeypatch.setattr(running, "HEADER_SECONDS", 0.2)
    with running_server() as server:
        port = httpx.URL(server.address).port
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\nHost:")
            silent.settimeout(10)
            begin = time.monotonic()
            assert silent.recv(10) == b""
            assert time.monotonic() - begin < 9


def test_a_body_that_is_too_large_is_refused_before_it_is_read(home_of_run: object) -> None:
    with running_server(max_upload_bytes=1 << 20) as server, server.client() as client:
        large = client.post("/v1/pictures", files={"image": b"x" * (3 << 20)})
        assert large.status_code == 413

        def endless() -> object:
            for _ in range(64):
                yield b"x" * (1 << 16)

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        chunked = client.post("/v1/pictures", content=endless(), headers=headers)  # type: ignore[arg-type]
        assert chunked.status_code in (400, 413)


def test_a_cut_off_body_leaves_nothing(server: RunningServer) -> None:
    port = httpx.URL(server.address).port
    before = server.state.store.count, server.state.store.stored_bytes
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"POST /v1/pictures HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        )
        time.sleep(0.1)
    time.sleep(0.2)
    assert (server.state.store.count, server.state.store.stored_bytes) == before


def test_tokens_are_long() -> None:
    assert len(new_token()) >= 32
    assert new_token() != new_token()
