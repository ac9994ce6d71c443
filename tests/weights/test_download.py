"""The real download code against a real server on this machine that misbehaves on request."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

import matte.weights.download
from matte.errors import OutputError, WeightsError
from matte.weights.download import download
from tests.weights.download_server import CONTENT, DownloadServer

SHA = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


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
    starts = [wanted for _, wanted in DownloadServer.requests]
    assert starts == [None, "bytes=700000-", "bytes=1400000-"]


def test_a_server_that_falls_silent_is_asked_again(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matte.weights.download, "MAX_SILENCE_SECONDS", 0.3)
    download(server + "/stalled", tmp_path / "net.onnx", SHA)
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    assert DownloadServer.requests == [("/stalled", None), ("/stalled", f"bytes={1 << 20}-")]


@pytest.mark.parametrize("path", ["/whole", "/stubborn"])
def test_a_part_of_an_earlier_call_is_used_if_the_server_can(
    server: str, tmp_path: Path, path: str
) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:1000])
    download(server + path, tmp_path / "net.onnx", SHA)
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT
    assert DownloadServer.requests == [(path, "bytes=1000-")]


def test_a_part_that_was_whole_is_enough(server: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT)
    download(server + "/whole", tmp_path / "net.onnx", SHA[:15])
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_another_content_is_refused_and_forgotten(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="other sha256"):
        download(server + "/whole", tmp_path / "net.onnx", "sha256:" + "0" * 64)
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
    assert DownloadServer.requests == []


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
    with pytest.raises(WeightsError, match=f"has more than {listed:,} bytes: check the address"):
        download(server + path, tmp_path / "net.onnx", SHA, listed_bytes=listed)
    assert list(tmp_path.iterdir()) == []


def test_without_a_listed_size_there_is_a_limit_too(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matte.weights.download, "MAX_DOWNLOAD_BYTES", 3_000_000)
    with pytest.raises(WeightsError, match="check the address"):
        download(server + "/endless", tmp_path / "net.onnx", SHA)


def published(algorithm: str, content: bytes = CONTENT) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_a_file_is_checked_by_the_algorithm_of_its_publisher(
    server: str, tmp_path: Path, algorithm: str
) -> None:
    digest = download(server + "/moved", tmp_path / "net.onnx", published(algorithm))
    assert digest == hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(WeightsError, match=rf"is not the file that it was \(other {algorithm}\)"):
        download(server + "/whole", tmp_path / "other.onnx", published(algorithm, b"other"))
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize("beginning", [b"another file's", CONTENT + b"longer", b""])
def test_the_beginning_of_another_file_is_fetched_anew(
    server: str, tmp_path: Path, beginning: bytes
) -> None:
    (tmp_path / "net.onnx.part").write_bytes(beginning)
    download(server + "/whole", tmp_path / "net.onnx", published("md5"))
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_a_redirection_is_taken_up_where_it_broke(server: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:1000])
    download(server + "/moved", tmp_path / "net.onnx", SHA)
    assert DownloadServer.requests == [("/moved", "bytes=1000-"), ("/whole", "bytes=1000-")]
    assert (tmp_path / "net.onnx").read_bytes() == CONTENT


def test_a_file_that_has_become_larger_is_refused(server: str, tmp_path: Path) -> None:
    listed = len(CONTENT) - 1
    with pytest.raises(WeightsError, match=f"/whole has more than {listed:,} bytes"):
        download(server + "/whole", tmp_path / "net.onnx", SHA, listed_bytes=listed)
    assert list(tmp_path.iterdir()) == []


EMPTY_GRAPH = b"\x3a\x00"  # a whole ONNX file, as far as its fields go


def test_without_a_hash_the_size_is_checked(server: str, tmp_path: Path) -> None:
    DownloadServer.content = EMPTY_GRAPH
    with pytest.raises(WeightsError, match="has 2 bytes, and 3 are listed: tell the authors"):
        download(server + "/whole", tmp_path / "net.onnx", "", listed_bytes=3)
    digest = download(server + "/whole", tmp_path / "net.onnx", "", listed_bytes=2)
    assert digest == hashlib.sha256(EMPTY_GRAPH).hexdigest()


def test_without_a_hash_only_an_onnx_file_is_kept(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="/whole is no ONNX file: check the address"):
        download(server + "/whole", tmp_path / "net.onnx", "")
    assert list(tmp_path.iterdir()) == []


def test_without_a_hash_nothing_is_made_of_two_downloads(server: str, tmp_path: Path) -> None:
    DownloadServer.content = EMPTY_GRAPH
    (tmp_path / "net.onnx.part").write_bytes(EMPTY_GRAPH[:1])
    download(server + "/whole", tmp_path / "net.onnx", "")
    assert DownloadServer.requests == [("/whole", None)]


def test_a_full_disk_is_said_before_anything_comes(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1_000_000

    monkeypatch.setattr("matte.weights.download.shutil.disk_usage", lambda _: Usage)
    with pytest.raises(OutputError, match=r"has room for .* are to come: free some space"):
        download(server + "/whole", tmp_path / "net.onnx", SHA)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "net.onnx.part").write_bytes(CONTENT[:1_500_000])
    download(server + "/whole", tmp_path / "net.onnx", SHA)  # the rest has room


def test_what_came_before_the_disk_was_full_is_kept(server: str, tmp_path: Path) -> None:
    """The limit on a file's size is the nearest to a full disk that every machine has."""
    code = """
import resource, sys
from pathlib import Path
from matte.errors import OutputError
from matte.weights.download import download
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    download(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
except OutputError as error:
    print(error)
"""
    target = tmp_path / "net.onnx"
    command = [sys.executable, "-c", code, server + "/whole", str(target), SHA]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"can't write {target}.part (File too large): free some space")
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx.part"]
    download(server + "/whole", target, SHA)
    assert DownloadServer.requests[-1] == ("/whole", "bytes=1000000-")
    assert target.read_bytes() == CONTENT
