"""The real download code against a real server on this machine that misbehaves on request."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import matte.weights.download
from matte.errors import WeightsError
from matte.weights.download import download

CONTENT = bytes(range(256)) * 8000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """/whole, /slow, /cut (breaks off twice), /stalled (falls silent once), /stubborn (no ranges),
    /moved, /away, /gone, /broken, /nonsense (no number as length), /endless.
    """

    requests: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.requests.append((self.path, wanted))
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/broken":
            self.send_error(503)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if self.path in ("/away", "/nowhere", "/nonsense", "/endless"):
            self.misbehave()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if self.path == "/stubborn":
            start = 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start:]
        if self.path == "/cut" and len(self.requests) < 3:
            body = body[:700_000]
        if self.path == "/slow":
            for at in range(0, len(body), 300_000):
                self.wfile.write(body[at : at + 300_000])
                time.sleep(0.05)
            return
        if self.path == "/stalled" and len(self.requests) == 1:
            self.wfile.write(body[: 1 << 20])
            self.wfile.flush()
            time.sleep(1)
            return
        self.wfile.write(body)

    def misbehave(self) -> None:
        places = {"/away": "http://example.org/whole", "/nowhere": "http://[::1"}
        self.send_response(302 if self.path in places else 200)
        if self.path in places:
            self.send_header("Location", places[self.path])
        if self.path == "/nonsense":
            self.send_header("Content-Length", "many")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(10_000 if self.path == "/endless" else 0):
                self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Server.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/whole", "/slow", "/moved", "/cut"])
def test_a_file_arrives_whole(server: str, tmp_path: Path, path: str) -> None:
    seen: list[tuple[int, int]] = []
    target = tmp_path / "new/net.onnx"
    download(server + path, target, SHA, lambda done, of: seen.append((done, of)))
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert list(target.parent.iterdir()) == [target]


def test_a_broken_connection_is_taken_up_where_it_broke(server: str, tmp_path: Path) -> None:
    download(server + "/cut", tmp_path / "net.onnx", SHA)
    starts = [wanted for _, wanted in Server.requests]
    assert starts == [None, "bytes=700000-", "bytes=1400000-"]


def test_a_server_that_falls_silent_is_asked_again(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matte.weights.download, "MAX_SILENCE_SECONDS", 0.3)
    download(server + "/stalled", tmp_path / "net.onnx", SHA)
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    assert Server.requests == [("/stalled", None), ("/stalled", f"bytes={1 << 20}-")]


@pytest.mark.parametrize("path", ["/whole", "/stubborn"])
def test_a_part_of_an_earlier_call_is_used_if_the_server_can(
    server: str, tmp_path: Path, path: str
) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:1000])
    download(server + path, tmp_path / "net.onnx", SHA)
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    assert Server.requests == [(path, "bytes=1000-")]


def test_a_part_that_was_whole_is_enough(server: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT)
    download(server + "/whole", tmp_path / "net.onnx", SHA[:8])
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_another_content_is_refused_and_forgotten(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="other sha256"):
        download(server + "/whole", tmp_path / "net.onnx", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "message"), [("/gone", "answers 404 .*: check"), ("/broken", "answers 503 .*: try")]
)
def test_what_the_server_refuses_is_said(
    server: str, tmp_path: Path, path: str, message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        download(server + path, tmp_path / "net.onnx", SHA)


def test_no_server_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"can't be fetched .*: try again"):
        download("http://127.0.0.1:9/net.onnx", tmp_path / "net.onnx", SHA)


def test_offline_means_offline(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="MATTE_OFFLINE is set: unset it"):
        download(server + "/whole", tmp_path / "net.onnx", SHA)
    assert Server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "example.org/net.onnx",
        "http://example.org/net.onnx",
        "ftp://example.org/net.onnx",
        "file:///etc/passwd",
        "http://[::1",
        "https://",
        "http://127.0.0.1:port/x",
        "",
    ],
)
def test_addresses_are_of_https(tmp_path: Path, url: str) -> None:
    with pytest.raises(WeightsError, match="https://") as caught:
        download(url, tmp_path / "net.onnx", SHA)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_sent_elsewhere(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"example\.org/whole can't be fetched safely"):
        download(server + "/away", tmp_path / "net.onnx", SHA)


def test_nobody_is_sent_to_what_is_no_address(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"/nowhere leads to what is no address .*: check"):
        download(server + "/nowhere", tmp_path / "net.onnx", SHA)


def test_a_length_that_is_none_is_said(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"/nonsense answers with a length of 'many': check"):
        download(server + "/nonsense", tmp_path / "net.onnx", SHA)


@pytest.mark.parametrize(("path", "listed"), [("/endless", 3_000_000), ("/whole", 1_000_000)])
def test_no_more_is_fetched_than_is_listed(
    server: str, tmp_path: Path, path: str, listed: int
) -> None:
    with pytest.raises(WeightsError, match=r"has .* GiB, over .* GiB: check the address"):
        download(server + path, tmp_path / "net.onnx", SHA, listed_bytes=listed)
    assert list(tmp_path.iterdir()) == []


def test_without_a_listed_size_there_is_a_limit_too(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matte.weights.download, "MAX_DOWNLOAD_BYTES", 3_000_000)
    with pytest.raises(WeightsError, match="check the address"):
        download(server + "/endless", tmp_path / "net.onnx", SHA)
