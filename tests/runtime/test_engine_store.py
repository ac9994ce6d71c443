"""Engines on disk: keys, what fits, what is stale. The files are real, the engines in them not."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning, SettingError, WeightsError
from matte.refiner import parts, tiles
from matte.refiner.protocols import ATTENTION_STRIDE
from matte.runtime import backends, engine_compiler, engine_store
from matte.runtime.backends import possible_executions
from matte.runtime.engine_compiler import CompiledEngine, read_onnx_header
from matte.runtime.engine_parity import (
    ENGINE_TOLERANCES,
    EngineDifference,
    check_engine_differences,
    engine_difference,
    parity_sizes,
)
from matte.runtime.engine_shapes import (
    MAX_REFINER_SIZE,
    EngineShapes,
    default_shapes,
    parse_input_size,
)
from matte.runtime.engine_store import (
    Engine,
    EngineKey,
    device_precisions,
    file_digest,
    has_engine,
    load_engine,
    public_version,
    stale_reason,
    store_engine,
    timing_cache_file,
)
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import memo_file
from matte.runtime.opener import open_onnx_file, open_session
from matte.runtime.session import parse_trained_size
from matte.weights.store import find

PATH = find("segmenter", "person-light").path
SHAPES = EngineShapes((1, 32, 32), (1, 320, 320), (8, 1024, 1024))
INPUTS: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}
GPU, VERSION = "NVIDIA H200", "11.4.0.106"
WAY = Execution("tensorrt", "gpu:0", "fp16")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and the driver's word that there is a GPU."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(engine_store, "nvidia_gpus", lambda: (GPU,))
    monkeypatch.setattr(engine_store, "installed_tensorrt_version", lambda: VERSION)


@pytest.fixture
def network(tmp_path: Path) -> NetworkSource:
    path = tmp_path / "net.onnx"
    path.write_bytes(PATH.read_bytes())
    return NetworkSource(path)


def key(network: NetworkSource, /, **other: Any) -> EngineKey:
    return replace(EngineKey(file_digest(network), VERSION, GPU, "9.0", "fp16"), **other)


def engine(plan: bytes = b"plan") -> Engine:
    return Engine(plan, SHAPES, INPUTS, {"matte.size": "320"}, (0.002, 1e-5))


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
    network.path.write_bytes(network.path.read_bytes() + b"\x00")
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


def test_sizes_are_read_and_checked() -> None:
    assert parse_input_size("1088x1920") == (1, 1088, 1920)
    assert parse_input_size("4×64X96") == (4, 64, 96)
    for text in ("1088", "1x2x3x4", "axb", ""):
        with pytest.raises(SettingError, match="give HEIGHTxWIDTH or BATCHxHEIGHTxWIDTH"):
            parse_input_size(text)
    with pytest.raises(SettingError, match="1x100x64: give heights and widths in 32s"):
        EngineShapes((1, 100, 64), (1, 128, 64), (1, 128, 64))
    with pytest.raises(SettingError, match="1x128x64 is larger than 1x96x96: give --min"):
        EngineShapes((1, 32, 32), (1, 128, 64), (1, 96, 96))
    assert SHAPES.holds((8, 32, 1024))
    assert not SHAPES.holds((9, 32, 1024))
    assert not SHAPES.holds((1, 32, 1056))
    assert public_version("10.14.1.48.post1") == "10.14.1.48"


def test_default_shapes_hold_what_each_kind_is_given() -> None:
    both = {**INPUTS, "trimap": (None, 1, None, None)}
    assert default_shapes(both).holds((1, 1152, 1984))  # 1080p with the authors' border
    assert default_shapes(both).holds((1, 1984, 1152))
    assert default_shapes(both).holds((1, 1248, 2144))  # what is left of 4K, with that border
    assert default_shapes(both).usual[1:] == (tiles.SIDE, tiles.SIDE)
    assert default_shapes(both).holds((1, parts.MIN_COPIED_SIDE, parts.MIN_COPIED_SIDE))
    assert default_shapes(INPUTS, 448).usual == (1, 448, 448)
    assert default_shapes(INPUTS, 448).holds((8, 256, 448))
    assert default_shapes(INPUTS).usual == (1, 512, 512)
    for shapes in (default_shapes(both), default_shapes(INPUTS, 448), SHAPES):
        sizes = parity_sizes(shapes)
        assert len(sizes) >= 3
        assert all(shapes.holds(size) for size in sizes)
        assert max(height * width for _, height, width in sizes) <= 700_000


def test_no_attention_is_larger_than_tensorrt_takes() -> None:
    batch, height, width = MAX_REFINER_SIZE
    assert batch > 1, "tiles go through together"
    assert batch * (height // ATTENTION_STRIDE * (width // ATTENTION_STRIDE)) ** 2 < 2**31


def test_a_size_that_is_none_is_refused() -> None:
    assert parse_trained_size({}) == 0
    assert parse_trained_size({"matte.size": "448"}) == 448
    for told in ("4480000", "big"):
        with pytest.raises(WeightsError, match=f"the network's matte.size is '{told}'"):
            parse_trained_size({"matte.size": told})


def test_networks_that_are_opened_at_once_are_compiled_one_by_one(
    network: NetworkSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[str] = []
    building = threading.Lock()

    def compile_slowly(network: NetworkSource, execution: Execution, *_: object) -> CompiledEngine:
        assert building.acquire(blocking=False), "two at once"
        time.sleep(0.05)
        builds.append(execution.precision)
        of = key(network, precision=execution.precision)
        path = store_engine(network, of, engine())
        building.release()
        return CompiledEngine(path, of, engine(), ())

    bindings: Any = ModuleType("matte.runtime.tensorrt")
    bindings.engine_key = lambda network, execution: key(network, precision=execution.precision)
    bindings.TensorRtSession = lambda engine, execution: SimpleNamespace(execution=execution)
    monkeypatch.setitem(sys.modules, "matte.runtime.tensorrt", bindings)
    monkeypatch.setattr(engine_compiler, "compile_network", compile_slowly)
    executions = [
        Execution("tensorrt", "gpu:0", precision) for precision in ("fp16", "fp32", "fp16")
    ]
    asked = RuntimeSettings(backend="tensorrt")
    with pytest.warns(MatteWarning, match="it takes minutes"), ThreadPoolExecutor(3) as pool:
        opened = list(
            pool.map(
                lambda execution: engine_compiler.open_tensorrt(network, execution, asked),
                executions,
            )
        )
    assert [session.execution for session in opened] == executions
    assert sorted(builds) == ["fp16", "fp32"], "none twice"


def test_the_file_tells_its_inputs(network: NetworkSource) -> None:
    inputs, metadata = read_onnx_header(network.path)
    assert inputs == INPUTS
    assert metadata["matte.kind"] == "segmenter"
    assert metadata["matte.size"] == "320"


@pytest.mark.parametrize("name", ["person-light", "gca-slim", "modnet"])
def test_a_session_is_no_way_from_itself_on_the_portrait(name: str) -> None:
    kind = {"person-light": "segmenter", "gca-slim": "refiner", "modnet": "modnet"}[name]
    path = find(kind, name).path
    one, other = open_onnx_file(path), open_onnx_file(path, "openvino")
    given = portrait_inputs(one.inputs, 2, 256, 224)
    assert set(given) == set(one.inputs)
    (values,) = one.run(given).values()
    assert values.max() > 0.5 > values.min(), "the portrait is to be seen"
    same = engine_difference(one, one, (2, 256, 224))
    assert (same.size, same.largest, same.mean) == ((2, 256, 224), 0, 0)
    assert 0 < engine_difference(one, other, (2, 256, 224)).largest < 1e-4


@pytest.mark.parametrize("found", [(0.011, 1e-6), (0.001, 0.0011), (float("nan"), 0.0)])
def test_what_is_too_far_is_refused(found: tuple[float, float], network: NetworkSource) -> None:
    with pytest.raises(BackendError, match=r"in fp16 differs by .* at 1x96x128 and is not inst"):
        check_engine_differences(
            network, WAY, (EngineDifference((1, 96, 128), *found),), ENGINE_TOLERANCES["fp16"]
        )
    check_engine_differences(
        network, WAY, (EngineDifference((1, 96, 128), 0.009, 0.0009),), ENGINE_TOLERANCES["fp16"]
    )
