"""Networks of the catalogue, fetched by their names from a server on this machine."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from matte.errors import MissingWeightsError, OutputError, SettingError, WeightsError
from matte.weights import store as weights_store
from matte.weights.fetching import download_notice, fetch_weights
from matte.weights.peer_settings import named_rules, rule_named
from matte.weights.store import (
    CATALOGUE,
    SHIPPED_FOLDER,
    all_weights,
    find_weights,
    storage_status,
    weights_named,
)
from tests.weights.download_server import DownloadServer

NETWORK = b"\x3a\x00"  # a whole ONNX file, as far as its fields go
OTHER = b"\x3a\x02\x0a\x00"
ROWS = tomllib.loads((SHIPPED_FOLDER / CATALOGUE).read_text())


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Path:
    """An empty home, and the catalogue in a folder that the test may write into."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights_store, "SHIPPED_FOLDER", tmp_path)
    DownloadServer.content = NETWORK
    return tmp_path


def list_network(folder: Path, **row: object) -> None:
    """Writes the catalogue: the network `net`."""
    values = {"file": "net.onnx", "kind": "segmenter", "rule": "u2net", "licence": "MIT", **row}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    (folder / CATALOGUE).write_text("\n".join(["[net]", *lines, ""]))


def test_a_fetched_network_is_stored_with_its_rule_and_its_hash(home: Path, server: str) -> None:
    list_network(home, url=f"{server}/whole", published_hash=md5(NETWORK), bytes=len(NETWORK))
    assert storage_status(weights_named("net")) == "not fetched"
    with pytest.raises(MissingWeightsError, match="run 'matte weights download net'"):
        find_weights("segmenter", "net")
    fetched = fetch_weights("net")
    assert fetched.path.read_bytes() == NETWORK
    manifest = tomllib.loads((home / "home/weights/manifest.toml").read_text())
    assert manifest["net"]["sha256"] == hashlib.sha256(NETWORK).hexdigest()
    found = find_weights("segmenter", "net")
    assert found.peer == rule_named("u2net").peer
    assert not found.is_stranger
    assert find_weights("modnet", "net").path == found.path, "it finds alpha without a trimap, too"
    (home / CATALOGUE).unlink()
    assert find_weights("segmenter", "net").peer == rule_named("u2net").peer


def test_a_second_call_fetches_nothing(home: Path, server: str) -> None:
    list_network(home, url=f"{server}/whole", published_hash=md5(NETWORK))
    fetch_weights("net")
    before = (home / "home/weights/manifest.toml").read_bytes()
    assert fetch_weights("net").path.read_bytes() == NETWORK
    assert (home / "home/weights/manifest.toml").read_bytes() == before
    assert len(DownloadServer.requests) == 1


def test_another_file_is_not_stored(home: Path, server: str) -> None:
    list_network(home, url=f"{server}/whole", published_hash=md5(OTHER))
    with pytest.raises(WeightsError, match="other md5"):
        fetch_weights("net")
    assert [path.name for path in (home / "home").rglob("*") if path.is_file()] == []


def test_without_a_published_hash_the_first_downloads_is_kept(home: Path, server: str) -> None:
    list_network(home, url=f"{server}/whole")
    assert "can't be checked; that of this download is kept" in download_notice(
        weights_named("net")
    )
    stored = fetch_weights("net")
    assert find_weights("segmenter", "net").is_stranger, "it is tried before it runs"
    stored.path.write_bytes(OTHER)
    with pytest.raises(WeightsError, match=r"net\.onnx is damaged"):
        find_weights("segmenter", "net")
    stored.path.unlink()
    DownloadServer.content = OTHER
    with pytest.raises(WeightsError, match="is not the file that it was"):
        fetch_weights("net")
    DownloadServer.content = NETWORK
    fetch_weights("net")


def test_a_file_that_lies_there_already_is_checked(home: Path, server: str) -> None:
    list_network(home, url=f"{server}/whole", published_hash=md5(NETWORK))
    file = home / "home/weights/net.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(OTHER)
    with pytest.raises(MissingWeightsError, match="download net"):
        find_weights("segmenter", "net")
    with pytest.raises(WeightsError, match=r"net\.onnx is another file: remove it"):
        fetch_weights("net")
    assert file.read_bytes() == OTHER
    file.write_bytes(NETWORK)
    assert fetch_weights("net").sha256 == hashlib.sha256(NETWORK).hexdigest()
    assert DownloadServer.requests == []


def test_non_commercial_networks_want_their_licence_accepted(home: Path, server: str) -> None:
    row = {"url": f"{server}/whole", "licence": "for research", "non_commercial": True}
    list_network(home, **row)
    expected = "'net' is for non-commercial use only .*for research.*: if .* --accept-licence"
    with pytest.raises(SettingError, match=expected):
        fetch_weights("net")
    assert DownloadServer.requests == []
    assert fetch_weights("net", accept=True).non_commercial


def test_a_network_without_an_address_names_others_like_it() -> None:
    with pytest.raises(WeightsError, match=r"'modnet' has no address: .*modnet-photographic"):
        fetch_weights("modnet")


def test_without_a_net_nothing_is_stored(home: Path) -> None:
    list_network(home, url="http://127.0.0.1:9/net.onnx", published_hash=md5(NETWORK))
    with pytest.raises(WeightsError, match=r"can't be fetched .*: try again"):
        fetch_weights("net")
    assert storage_status(weights_named("net")) == "not fetched"


def test_a_manifest_that_can_not_be_written_leaves_the_network_unlisted(
    home: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_network(home, url=f"{server}/whole", published_hash=md5(NETWORK))
    replace = Path.replace

    def full(old: Path, new: Path) -> Path:
        if new.name == "manifest.toml":
            raise OSError(28, "No space left on device")
        return replace(old, new)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        fetch_weights("net")
    assert storage_status(weights_named("net")) == "not fetched"
    monkeypatch.undo()


@pytest.mark.parametrize("name", ROWS)
def test_the_catalogue_says_where_everything_was_read(name: str) -> None:
    weights = all_weights()[name]
    assert weights.url.startswith("https://")
    assert storage_status(weights) == "not fetched"
    assert weights.licence
    assert weights.source
    assert weights.origin
    assert weights.non_commercial == ("non-commercial use only" in weights.licence)
    assert Path(weights.file).stem in (name, "modnet-photographic")
    if weights.rule:
        assert named_rules()[weights.rule].kind == weights.kind
        assert weights.peer == named_rules()[weights.rule].peer
    with pytest.raises(WeightsError, match=f"run 'matte weights download {name}'"):
        find_weights(weights.kind, name)


def test_offline_means_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_OFFLINE", "1")
    with pytest.raises(WeightsError, match="MATTE_OFFLINE"):
        fetch_weights("u2netp")
