from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from matte.errors import BackendError
from matte.evaluation import timed_sessions
from matte.evaluation.timed_sessions import MIN_RUNS
from matte.runtime.opener import open_execution
from tests.evaluation.costs import ONNX, OPENVINO, Watched, measure_cost, opened, settings_for


def test_a_runtime_with_other_results_has_no_time(
    bright: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*words: Any) -> Watched:
        session = open_execution(*words)
        return Watched(session, [], 0.1 * (session.execution.backend == "openvino"))

    monkeypatch.setattr(timed_sessions, "open_execution", wrong)
    settings = settings_for()
    cost = measure_cost(opened(bright, settings), settings, runs=1)
    assert cost.runtimes[ONNX].ms is not None
    assert cost.runtimes[OPENVINO].ms is None
    assert cost.runtimes[OPENVINO].difference == pytest.approx(0.1, abs=1e-3)
    assert cost.runtimes[OPENVINO].error == "its results are not those of the first runtime"


def test_a_named_backend_is_timed_alone(bright: Path) -> None:
    settings = settings_for(backend="onnx")
    assert list(measure_cost(opened(bright, settings), settings, 1).runtimes) == [ONNX]
    with pytest.raises(BackendError, match="'onnx' has no bf16"):
        measure_cost(opened(bright, settings), settings_for(backend="onnx", precision="bf16"), 1)


def test_what_can_not_run_says_why(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(backend="onnx")
    found = opened(bright, settings)
    cost = measure_cost(found, settings_for(precision="fp16"), 1)
    assert [timing.ms for timing in cost.runtimes.values()] == [None, None]
    assert "has no fp16 here" in cost.runtimes["onnx"].error
    monkeypatch.setattr(
        timed_sessions, "find_spec", lambda package: package == "onnxruntime" or None
    )
    assert list(measure_cost(found, settings_for(), 1).runtimes) == [ONNX]


def test_slow_networks_run_less_often(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_sessions, "MAX_SECONDS", 0.0)
    settings = settings_for(backend="onnx")
    cost = measure_cost(opened(bright, settings), settings, runs=50)
    spread = cost.runtimes[ONNX].ms
    assert spread is not None
    assert spread.count == MIN_RUNS


def test_a_runtime_that_fails_later_has_no_time(
    bright: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(Watched):
        def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
            if len(self._seen) == 3:
                raise BackendError("out of order", "repair it")
            return super().run(inputs)

    monkeypatch.setattr(
        timed_sessions, "open_execution", lambda *words: Breaking(open_execution(*words), [])
    )
    settings = settings_for(backend="onnx")
    cost = measure_cost(opened(bright, settings), settings, 9)
    assert cost.runtimes[ONNX].ms is None
    assert cost.runtimes[ONNX].error == "out of order: repair it"
