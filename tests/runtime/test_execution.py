from dataclasses import asdict

from matte.runtime.execution import Execution


def test_an_execution_is_written_as_backend_device_and_precision() -> None:
    assert str(Execution("openvino", "gpu:1", "fp16")) == "openvino gpu:1 fp16"


def test_executions_are_equal_whyever_they_were_chosen() -> None:
    assert Execution("onnx", why="the fastest here") == Execution("onnx")
    assert len({Execution("onnx", why="the fastest here"), Execution("onnx")}) == 1


def test_reports_get_these_keys() -> None:
    assert list(asdict(Execution("onnx"))) == ["backend", "device", "precision", "why"]
