"""Networks of one's own, in a store that only the test sees."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.weights.download_server import CONTENT, DownloadServer


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's networks: `one`, that `two` was measured with."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    folder = tmp_path / "weights"
    folder.mkdir()
    list_networks(folder, one="11", two="22")
    return folder


def list_networks(folder: Path, **sha256: str) -> None:
    """Writes a manifest of refiners."""
    rows = (
        f'[{name}]\nfile = "{name}.onnx"\nkind = "refiner"\nrecipe = "gca-slim"\nsha256 = "{sha}"\n'
        for name, sha in sha256.items()
    )
    (folder / "manifest.toml").write_text("\n".join(rows))


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that has one file; its own paths make it misbehave."""
    DownloadServer.requests.clear()
    DownloadServer.content = CONTENT
    with ThreadingHTTPServer(("127.0.0.1", 0), DownloadServer) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()
