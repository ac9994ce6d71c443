"""ONNX Runtime's providers for GPUs: what is asked of them, and what happens without them."""

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import nvidia_gpus
from matte.runtime.onnx import OnnxSession, _preload_cuda, _preload_cuda_once, _providers
from matte.runtime.opener import open_session
from matte.weights.store import find_weights

PATH = find_weights("segmenter", "person-light").path
NETWORK = NetworkSource(PATH, "0123456789" * 4)
built_without = pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="onnxruntime has CUDA"
)


def test_a_gpu_is_called_by_its_number_and_float32_is_exact() -> None:
    (cuda, options), (cpu, _) = _providers(Execution("onnx", "gpu:2"), NETWORK)
    assert (cuda, cpu) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert (options["device_id"], options["use_tf32"]) == ("2", "0")


def test_engines_are_kept_and_what_must_be_exact_stays_out_of_half(own_home: Path) -> None:
    exact, half = (
        _providers(Execution("onnx-tensorrt", "gpu:0", precision), NETWORK)
        for precision in ("fp32", "fp16")
    )
    assert [name for name, _ in half] == [
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]
    options = half[0][1]
    assert {"MatMul", "Softmax"} <= set(options["trt_op_types_to_exclude"].split(","))
    assert "trt_fp16_enable" not in exact[0][1]
    place = Path(options["trt_engine_cache_path"])
    assert place.is_relative_to(own_home)
    assert place.name == NETWORK.digest[:20]


def test_preloading_in_threads_leaves_stdout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # What it says is printed by a function of the package's own module.
    names = vars(onnxruntime)
    code = "def preload():\n called.append(sys.stdout)\n sleep(0.05)\n print('no cuDNN', 9)"
    called: list[object] = []
    monkeypatch.setitem(names, "called", called)
    monkeypatch.setitem(names, "sleep", time.sleep)
    monkeypatch.setitem(names, "sys", sys)
    local: dict[str, Any] = {}
    exec(code, names, local)
    monkeypatch.setattr(onnxruntime, "preload_dlls", local["preload"])
    printed = io.StringIO()
    monkeypatch.setattr(sys, "stdout", printed)
    _preload_cuda_once.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda _: _preload_cuda(), range(4)))
    _preload_cuda_once.cache_clear()
    assert told == ["no cuDNN 9"] * 4
    assert called == [printed], "once, and on the stdout of everybody"
    assert sys.stdout is printed
    assert printed.getvalue() == ""
    assert "print" not in names


@built_without
@pytest.mark.parametrize("backend", ["onnx", "onnx-tensorrt"])
def test_a_provider_that_does_not_load_is_never_the_cpu(backend: str) -> None:
    with pytest.raises(BackendError, match=r"ONNX Runtime can't .*: install the CUDA and cuDNN"):
        OnnxSession(NETWORK, Execution(backend, "gpu:0"), RuntimeSettings())


@pytest.mark.skipif(bool(nvidia_gpus()), reason="there is a GPU")
def test_why_there_is_none_is_said() -> None:
    with pytest.raises(BackendError, match=r"'onnx-tensorrt' has no gpu here \(.+\): run 'matte d"):
        open_session(NETWORK, RuntimeSettings(backend="onnx-tensorrt"))
    with pytest.raises(BackendError, match=r"'onnx' has no gpu here \(.+use --device cpu"):
        open_session(NETWORK, RuntimeSettings(backend="onnx", device="gpu"))
    with pytest.raises(BackendError, match="no backend has a gpu here"):
        open_session(NETWORK, RuntimeSettings(require_gpu=True))
