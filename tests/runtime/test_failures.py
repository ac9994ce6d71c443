"""What the runtimes say where memory or external weights are missing, and what a user reads."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from matte.errors import BackendError, WeightsError, is_memory_error
from matte.runtime.failures import opening_failure
from matte.runtime.opener import open_onnx_file

# As ONNX Runtime, OpenVINO, OpenCV and the loader of libraries said it under `ulimit -v`.
NO_MEMORY = (
    "[ONNXRuntimeError] : 1 : FAIL : Load model from x.onnx failed:std::bad_alloc",
    "PosixThread pthread_create failed, error code: 12 error msg: Cannot allocate memory",
    "AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 9",
    "Check 'ptr' failed at cpu_memory.cpp:257:\nFailed to allocate 30720000 bytes of memory\n\n",
    "alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 400 bytes in function 'x'",
    "Exception from src/inference/src/cpp/core.cpp:132:\nResource temporarily unavailable",
    "[CPU] MaxPool node with name '/attention.0/MaxPool' can't alloc",
    "libopenvino_intel_cpu_plugin.so: failed to map segment from shared object",
    "Unable to allocate 8.94 GiB for an array with shape (1, 3, 40000, 20000)",
)


@pytest.mark.parametrize("text", NO_MEMORY)
def test_memory_that_is_used_up_is_said_as_such(text: str) -> None:
    found = opening_failure("ONNX Runtime", Path("x.onnx"), RuntimeError(text), text)
    assert isinstance(found, BackendError)
    assert str(found).startswith("there is not enough memory for x.onnx in ONNX Runtime: give a s")
    assert "--max-memory" in found.remedy


def test_other_failures_are_none_of_memory() -> None:
    assert is_memory_error(MemoryError())
    error = RuntimeError("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Protobuf parsing failed.")
    assert not is_memory_error(error)
    found = opening_failure("ONNX Runtime", Path("x.onnx"), error, "Protobuf parsing failed.")
    assert isinstance(found, WeightsError)
    assert found.remedy == "give a whole ONNX file"


def test_a_reader_that_can_not_be_loaded_is_no_damaged_file() -> None:
    text = "Unable to read the model: Please check. Available frontends: ir"
    found = opening_failure("OpenVINO", Path("x.onnx"), RuntimeError(text), text)
    assert isinstance(found, BackendError)
    assert found.remedy == "free some memory, or install it again"
    text = "Unable to read the model: Available frontends: ir tflite onnx"
    assert isinstance(
        opening_failure("OpenVINO", Path("x"), RuntimeError(text), text), WeightsError
    )


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network whose one tensor lies in another file, which is not there."""
    kernel = numpy_helper.from_array(np.ones((1, 3, 9, 9), np.float32), "kernel")
    shapes = {"image": [1, 3, None, None], "mask": [1, 1, None, None]}
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
    node = helper.make_node("Conv", ["image", "kernel"], ["mask"])
    graph = helper.make_graph([node], "graph", values[:1], values[1:], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "net.onnx"
    onnx.save(
        model, path, save_as_external_data=True, location="net.data", size_threshold=0
    )  # to two files
    (tmp_path / "net.data").unlink()
    return path


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_missing_external_weights_are_the_cause(backend: str, network: Path) -> None:
    """Said where the file is read, or by the runtime's own words."""
    with pytest.raises(WeightsError, match=r"missing|No such file") as error:
        open_onnx_file(network, backend)  # type: ignore[arg-type]  # one of its words
    assert "whole ONNX file" not in error.value.remedy
    assert "beside" in f"{error.value}"
    assert "net.data" in f"{error.value}"
