"""Engines that are compiled when they are opened; TensorRT is made up."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import MatteWarning
from matte.runtime import engine_compiler
from matte.runtime.engine_compiler import CompiledEngine, read_onnx_header
from matte.runtime.engine_store import (
    store_engine,
)
from matte.runtime.execution import Execution, NetworkSource
from tests.runtime.engines import INPUTS, engine, key

pytestmark = pytest.mark.usefixtures("nvidia_machine")


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
