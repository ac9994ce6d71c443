"""Bodies within limits, over a real socket."""

import socket
import time

import httpx
import pytest

from matte.server import uploads
from matte.server.uploads import clean_name
from tests.server.running import RunningServer, running_server


def test_a_body_that_is_too_large_is_refused_before_it_is_read(home_of_run: object) -> None:
    with running_server(max_upload_bytes=1 << 20) as server, server.client() as client:
        large = client.post("/v1/pictures", files={"image": b"x" * (3 << 20)})
        assert large.status_code == 413

        def endless() -> object:
            for _ in range(64):
                yield b"x" * (1 << 16)

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        chunked = client.post("/v1/pictures", content=endless(), headers=headers)  # type: ignore[arg-type]  # object
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


def test_a_body_that_comes_too_slowly_is_refused(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_SILENCE_SECONDS", 0.1)
    port = httpx.URL(server.address).port
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            b"PUT /v1/pictures/x/strokes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n"
        )
        client.settimeout(10)
        assert client.recv(100).startswith(b"HTTP/1.1 404")  # before anything is read
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /v1/zip HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{")
        client.settimeout(10)
        assert client.recv(100).startswith(b"HTTP/1.1 408")


def test_what_is_no_json_is_told(client: httpx.Client) -> None:
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        assert client.post("/v1/zip", content=body).status_code == 400


def test_fields_that_come_twice_or_too_often_are_refused(client: httpx.Client) -> None:
    twice = [("image", b"x"), ("image", b"y")]
    assert client.post("/v1/matte", files=twice).status_code == 400
    many = {f"f{n}": "x" for n in range(100)}
    assert client.post("/v1/matte", files={"image": b"x"}, data=many).status_code == 400


def test_names_of_files_are_harmless() -> None:
    assert clean_name("../../a\r\nb.png") == "ab.png"
    assert clean_name("C:\\x\\y.jpg") == "y.jpg"
    assert clean_name('a"<b>|:*?.png') == "ab.png"
    assert len(clean_name("x" * 10_000)) == 200
    assert clean_name("...") == ""
