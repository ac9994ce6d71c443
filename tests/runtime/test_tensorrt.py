"""What a TensorRT session says when memory is short; the bindings are stood in for."""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from matte.errors import BackendError
from matte.runtime.engine_shapes import EngineShapes


class Log:
    """The log of a session, with an old line in it."""

    def __init__(self) -> None:
        self.errors = ["old"]


class Engine:
    """An engine for which there is no memory."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def create_execution_context(self, strategy: object) -> None:
        self.log.errors.append("no room")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    bindings: Any = ModuleType("tensorrt")
    bindings.__getattr__ = lambda name: type(name, (), {"Severity": int, "USER_MANAGED": 1})
    monkeypatch.setitem(sys.modules, "tensorrt", bindings)
    for name in ("building", "tensorrt"):
        # Read anew, and forgotten afterwards: others may have the true bindings.
        monkeypatch.delitem(sys.modules, f"matte.runtime.{name}", raising=False)
    module = importlib.import_module("matte.runtime.tensorrt")
    made = object.__new__(module.TensorRtSession)
    made._log = Log()
    made._engine = Engine(made._log)
    made._own = threading.local()
    made._device = -1  # torch's name for none
    yield made
    for name in ("building", "tensorrt"):
        sys.modules.pop(f"matte.runtime.{name}", None)


def test_no_context_is_an_error_without_old_lines(session: Any) -> None:
    for _ in range(2):
        with pytest.raises(BackendError, match=r"can't start the engine \(no room\): take a small"):
            session._context_and_stream()
        assert session._log.errors == ["no room"]


def test_pictures_that_the_gpu_has_no_memory_for_are_an_error_with_a_remedy(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    session._device = torch.device("cuda")
    size = (1, 32, 32)
    session.shapes = EngineShapes(size, size, size)
    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(BackendError, match=r"GPU's memory is too small .*: take a smaller picture"):
        session.run({"image": np.zeros((1, 3, 32, 32), np.float32)})
