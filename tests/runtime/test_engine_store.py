"""Engines on disk: keys, what fits, what is stale. The files are real, the engines in them not."""

from typing import Any

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime import backends, engine_store
from matte.runtime.backends import possible_executions
from matte.runtime.engine_store import (
    device_precisions,
    has_engine,
    load_engine,
    stale_reason,
    store_engine,
    timing_cache_file,
)
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import memo_file
from matte.runtime.opener import open_session
from tests.runtime.engines import GPU, VERSION, engine, key

WAY = Execution("tensorrt", "gpu:0", "fp16")
pytestmark = pytest.mark.usefixtures("nvidia_machine")


def test_what_was_installed_is_found_again(network: NetworkSource) -> None:
    path = store_engine(network, key(network), engine())
    assert path.read_bytes() == b"plan"
    assert load_engine(key(network)) == engine()
    assert stale_reason(network, key(network)) == ""
    assert has_engine(network, WAY)
    assert not list(path.parent.glob(".matte-*"))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"tensorrt": "10.16.1.11"}, "TensorRT was 11.4.0.106 and is 10.16.1.11"),
        ({"gpu": "NVIDIA L4"}, "it was built for NVIDIA H200 9.0"),
        ({"capability": "10.0"}, "it was built for NVIDIA H200 9.0"),
        ({"network": "0" * 64}, "the network has changed"),
    ],
)
def test_another_version_gpu_or_network_makes_it_stale(
    other: dict[str, str], why: str, network: NetworkSource
) -> None:
    store_engine(network, key(network), engine())
    assert load_engine(key(network, **other)) is None
    assert stale_reason(network, key(network, **other)) == why


def test_another_precision_is_another_engine(network: NetworkSource) -> None:
    store_engine(network, key(network), engine())
    exact = key(network, precision="fp32")
    assert load_engine(exact) is None
    assert stale_reason(network, exact) == ""
    assert not has_engine(network, Execution("tensorrt", "gpu:0", "fp32"))
    store_engine(network, exact, engine(b"exact"))
    assert load_engine(key(network)) == engine()


def test_a_damaged_engine_is_none(network: NetworkSource) -> None:
    path = store_engine(network, key(network), engine())
    path.write_bytes(b"pla")
    assert load_engine(key(network)) is None
    assert stale_reason(network, key(network)) == "it is damaged"
    path.with_suffix(".json").write_text("{")
    assert load_engine(key(network)) is None
    assert not has_engine(network, WAY)


def test_a_new_engine_takes_the_stale_ones_place(network: NetworkSource) -> None:
    old = store_engine(network, key(network, tensorrt="10.16.1.11"), engine())
    elsewhere = store_engine(network, key(network, gpu="NVIDIA L4"), engine())
    new = store_engine(network, key(network), engine(b"new"))
    assert new.exists()
    assert not old.exists()
    assert not old.with_suffix(".json").exists()
    assert elsewhere.exists(), "a home may be shared by machines"


def test_a_changed_file_is_another_network(network: NetworkSource) -> None:
    store_engine(network, key(network), engine())
    network.path.write_bytes(network.path.read_bytes() + b"\x08\x00")
    assert not has_engine(network, WAY)
    assert stale_reason(network, key(network)) == "the network has changed"


@pytest.mark.parametrize(
    ("gpus", "version"), [((), VERSION), (("NVIDIA L4",), VERSION), ((GPU,), "10.16.1.11")]
)
def test_nothing_is_built_for_other_machines(
    gpus: tuple[str, ...], version: str, network: NetworkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_engine(network, key(network), engine())
    monkeypatch.setattr(engine_store, "nvidia_gpus", lambda: gpus)
    monkeypatch.setattr(engine_store, "installed_tensorrt_version", lambda: version)
    assert not has_engine(network, WAY)
    assert set(device_precisions()) == {f"gpu:{n}" for n in range(len(gpus))}


def test_timings_are_kept_for_each_gpu_and_version(network: NetworkSource) -> None:
    files = {
        timing_cache_file(key(network, **other))
        for other in ({}, {"precision": "fp32"}, {"network": "0"}, {"gpu": "NVIDIA L4"})
    }
    assert len(files) == 2


def executions(network: NetworkSource, **asked: Any) -> list[str]:
    found = possible_executions(network, RuntimeSettings(**asked))
    return [str(execution) for execution in found if execution.backend == "tensorrt"]


def test_auto_takes_engines_that_are_built_and_builds_none(
    network: NetworkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backends.BACKEND_PACKAGES, "tensorrt", "numpy")  # as if it were installed
    assert executions(network) == []
    assert executions(network, backend="tensorrt") == ["tensorrt gpu:0 fp16"]
    assert executions(network, backend="tensorrt", precision="bf16") == ["tensorrt gpu:0 bf16"]
    with pytest.raises(BackendError, match="backend 'tensorrt' has no gpu:1 here"):
        executions(network, backend="tensorrt", device="gpu:1")
    before = memo_file(network, RuntimeSettings())
    store_engine(network, key(network, precision="fp32"), engine())
    assert memo_file(network, RuntimeSettings()) != before, "it is to be tried"
    assert executions(network) == ["tensorrt gpu:0 fp32"]
    assert executions(network, backend="tensorrt") == ["tensorrt gpu:0 fp32"]
    assert executions(network, backend="tensorrt", precision="fp16") == ["tensorrt gpu:0 fp16"]
    assert executions(network, device="cpu") == []


def test_without_tensorrt_its_backend_is_refused(
    network: NetworkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(backends.BACKEND_PACKAGES, "tensorrt", "no_such_package")
    with pytest.raises(
        BackendError, match=r"not installed: run pip install '\.\[tensorrt\]' in matte's checkout"
    ):
        open_session(network, RuntimeSettings(backend="tensorrt"))


@pytest.mark.parametrize("text", ["[]", "3", '{"path": 1}', "[" * 99_999, '{"sha256": []}'])
def test_facts_of_wrong_types_are_no_engine(network: NetworkSource, text: str) -> None:
    path = store_engine(network, key(network), engine())
    path.with_suffix(".json").write_text(text)
    assert load_engine(key(network)) is None
    assert not has_engine(network, WAY)
    assert stale_reason(network, key(network)) == "it is damaged"
