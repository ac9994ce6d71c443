"""Networks opened in the background, and what they say of themselves."""

from pathlib import Path

import pytest

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.errors import BackendError, WeightsError
from matte.pipeline import networks
from matte.pipeline.networks import NetworkOpener, as_runtime_network, open_network
from matte.runtime.execution import Execution
from matte.weights.store import all_weights


def config(**flags: object) -> Config:
    return merge_settings("fast", flags={"backend": "onnx", "precision": "fp32", **flags}).config


def test_the_opener_opens_what_a_run_needs_and_nothing_else() -> None:
    opener = NetworkOpener(config(refiner="guided"))
    assert opener.network("segmenter", "person-light").name == "person-light"
    with pytest.raises(WeightsError):
        opener.network("refiner", "guided")
    # What was not begun is opened when it is asked for.
    assert opener.network("modnet", "modnet").name == "modnet"
    assert NetworkOpener(config(modnet="modnet")).network("modnet", "modnet").name == "modnet"


def test_what_opening_raised_is_raised_where_the_network_is_asked_for(tmp_path: Path) -> None:
    damaged = tmp_path / "net.onnx"
    damaged.write_bytes(b"no network")
    opener = NetworkOpener(config(segmenter=str(damaged)))
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        opener.network("segmenter", str(damaged))
    none = str(tmp_path / "none.onnx")
    with pytest.raises(WeightsError, match=r"can't read .*none\.onnx"):
        NetworkOpener(config(segmenter=none)).network("segmenter", none)


def test_facts_name_the_network_as_it_was_asked_for() -> None:
    file = all_weights()["person-light"].path
    network = open_network("segmenter", str(file), config().runtime)
    facts = network.facts.as_json()
    assert facts["name"] == str(file)
    assert facts["sha256"] == all_weights()["person-light"].sha256
    assert {"backend", "device", "precision", "why"} <= set(facts)


def test_what_torch_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(networks.TORCH_SESSIONS, "shipped", "no_such_package:session")
    source = as_runtime_network(all_weights()["person"])
    assert source.torch is not None
    with pytest.raises(BackendError, match=r"person\.onnx can't run by torch \(No module named"):
        source.torch(Execution("torch"), config().runtime)


def test_runtimes_get_every_file_of_a_network() -> None:
    weights = all_weights()["person"]
    source = as_runtime_network(weights)
    assert (source.path, source.digest) == (weights.path, weights.sha256)
    assert source.torch is not None, "shipped networks are restored from their files"
