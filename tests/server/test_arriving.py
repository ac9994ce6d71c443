"""Bodies on their way count as what is stored does."""

import threading
from collections.abc import Iterator

import numpy as np

from tests.server.running import RunningServer, png, running_server, wait_for

PICTURE = png(np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8))  # 30 kB
FORM_HEAD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'


def test_bodies_on_their_way_leave_no_room_for_others() -> None:
    with running_server(max_stored_bytes=50_000) as server, server.client() as client:
        go_on = threading.Event()

        def slow_body() -> Iterator[bytes]:
            yield FORM_HEAD + b"x" * (40_000 - len(FORM_HEAD))
            go_on.wait(20)
            yield b"\r\n--b--\r\n"

        sender = threading.Thread(target=_send, args=(server, slow_body()))
        sender.start()
        wait_for(lambda: server.state.store.stored_bytes == 40_000)
        refused = client.post("/v1/pictures", files={"image": PICTURE})
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        go_on.set()
        sender.join()
        wait_for(lambda: server.state.store.stored_bytes == 0)
        assert client.post("/v1/pictures", files={"image": PICTURE}).status_code == 201


def test_a_body_counts_once_its_picture_is_stored(server: RunningServer) -> None:
    with server.client() as client:
        before = server.state.store.stored_bytes
        place = client.post("/v1/pictures", files={"image": PICTURE}).json()["links"]["self"]
        wait_for(lambda: server.state.store.stored_bytes == before + len(PICTURE))
        client.delete(place)


def _send(server: RunningServer, body: Iterator[bytes]) -> None:
    """Send a form's body in parts, and ignore the answer."""
    with server.client() as client:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        client.post("/v1/pictures", content=body, headers=kind)


def test_a_document_counts_too() -> None:
    with running_server(max_stored_bytes=1_000) as server, server.client() as client:
        body = {"items": [], "more": "x" * 2_000}
        answer = client.post("/v1/zip", json=body)
        assert answer.status_code == 503
