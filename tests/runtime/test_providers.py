"""ONNX Runtime's providers for GPUs: what is asked of them, and what happens without them."""

from pathlib import Path

import onnxruntime
import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime.graphics import nvidia_gpus
from matte.runtime.onnx import OnnxSession, _providers
from matte.runtime.opening import open_session
from matte.runtime.ways import Network, Way
from matte.weights.store import find

PATH = find("segmenter", "person-light").path
NETWORK = Network(PATH, "0123456789" * 4)
built_without = pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="onnxruntime has CUDA"
)


def test_a_gpu_is_called_by_its_number_and_float32_is_exact() -> None:
    (cuda, options), (cpu, _) = _providers(Way("onnx", "gpu:2"), NETWORK)
    assert (cuda, cpu) == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert (options["device_id"], options["use_tf32"]) == ("2", "0")


def test_engines_are_kept_and_what_must_be_exact_stays_out_of_half(own_home: Path) -> None:
    exact, half = (
        _providers(Way("onnx-tensorrt", "gpu:0", precision), NETWORK)
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


@built_without
@pytest.mark.parametrize("backend", ["onnx", "onnx-tensorrt"])
def test_a_provider_that_does_not_load_is_never_the_cpu(backend: str) -> None:
    with pytest.raises(BackendError, match=r"ONNX Runtime can't .*: install the CUDA and cuDNN"):
        OnnxSession(NETWORK, Way(backend, "gpu:0"), RuntimeSettings())


@pytest.mark.skipif(bool(nvidia_gpus()), reason="there is a GPU")
def test_why_there_is_none_is_said() -> None:
    with pytest.raises(BackendError, match=r"'onnx-tensorrt' has no gpu here \(.+\): run 'matte d"):
        open_session(NETWORK, RuntimeSettings(backend="onnx-tensorrt"))
    with pytest.raises(BackendError, match=r"'onnx' has no gpu here \(.+use --device cpu"):
        open_session(NETWORK, RuntimeSettings(backend="onnx", device="gpu"))
    with pytest.raises(BackendError, match="no backend has a gpu here"):
        open_session(NETWORK, RuntimeSettings(require_gpu=True))
