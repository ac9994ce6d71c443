from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.errors import BackendError
from matte.evaluation import network_costs
from matte.evaluation.network_costs import MIN_RUNS, measure_cost
from matte.pipeline.networks import OpenNetwork, open_network
from matte.runtime.opener import open_execution

ONNX, OPENVINO = "onnx cpu fp32", "openvino cpu fp32"


def config(**flags: Any) -> Config:
    return merge_settings(flags={"size": 64, "threads": 1, "device": "cpu", **flags}).config


def opened(file: Path, settings: Config) -> OpenNetwork:
    return open_network("segmenter", str(file), settings.runtime)


class Watched:
    """A session whose inputs are kept, and whose outputs are changed."""

    def __init__(self, session: Any, seen: list[Mapping[str, Any]], more: float = 0) -> None:
        self.execution, self._session, self._seen, self._more = (
            session.execution,
            session,
            seen,
            more,
        )

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self._seen.append(inputs)
        found = self._session.run(inputs)
        return {name: values + self._more for name, values in found.items()}


def test_all_runtimes_get_the_same_portrait(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(
        network_costs, "open_execution", lambda *words: Watched(open_execution(*words), seen)
    )
    settings = config()
    cost = measure_cost(opened(bright, settings), settings, runs=4)
    assert (cost.height, cost.width, cost.parameters) == (64, 64, 4)
    assert cost.macs == 64 * 64 * 3
    assert list(cost.runtimes) == [ONNX, OPENVINO]
    for timing in cost.runtimes.values():
        assert timing.ms is not None
        assert timing.ms.count == 4
        assert 0 < timing.ms.low <= timing.ms.median <= timing.ms.high
        assert timing.difference is not None
        assert timing.difference < 1e-3
    assert len(seen) == 2 * (1 + 1 + 4), "compared, warmed up, timed"
    assert all(np.array_equal(inputs["image"], seen[0]["image"]) for inputs in seen)
    assert seen[0]["image"].std() > 0.1, "a picture"
    plain = cost.as_json()
    assert plain["input"] == {"width": 64, "height": 64}
    assert plain["runtimes"][ONNX]["ms"]["runs"] == 4


def test_a_runtime_with_other_results_has_no_time(
    bright: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*words: Any) -> Watched:
        session = open_execution(*words)
        return Watched(session, [], 0.1 * (session.execution.backend == "openvino"))

    monkeypatch.setattr(network_costs, "open_execution", wrong)
    settings = config()
    cost = measure_cost(opened(bright, settings), settings, runs=1)
    assert cost.runtimes[ONNX].ms is not None
    assert cost.runtimes[OPENVINO].ms is None
    assert cost.runtimes[OPENVINO].difference == pytest.approx(0.1, abs=1e-3)
    assert cost.runtimes[OPENVINO].error == "its results are not those of the first runtime"


def test_a_named_backend_is_timed_alone(bright: Path) -> None:
    settings = config(backend="onnx")
    assert list(measure_cost(opened(bright, settings), settings, 1).runtimes) == [ONNX]
    with pytest.raises(BackendError, match="'onnx' has no bf16"):
        measure_cost(opened(bright, settings), config(backend="onnx", precision="bf16"), 1)


def test_what_can_not_run_says_why(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(backend="onnx")
    found = opened(bright, settings)
    cost = measure_cost(found, config(precision="fp16"), 1)
    assert [timing.ms for timing in cost.runtimes.values()] == [None, None]
    assert "has no fp16 here" in cost.runtimes["onnx"].error
    monkeypatch.setattr(
        network_costs, "find_spec", lambda package: package == "onnxruntime" or None
    )
    assert list(measure_cost(found, config(), 1).runtimes) == [ONNX]


def test_channels_may_come_last() -> None:
    first, last = np.zeros((1, 3, 48, 64), np.float32), np.zeros((1, 48, 64, 3), np.float32)
    assert network_costs._picture_size({"image": first}) == (48, 64)
    assert network_costs._picture_size({"image": last}) == (48, 64)


def test_slow_networks_run_less_often(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_costs, "MAX_SECONDS", 0.0)
    settings = config(backend="onnx")
    cost = measure_cost(opened(bright, settings), settings, runs=50)
    spread = cost.runtimes[ONNX].ms
    assert spread is not None
    assert spread.count == MIN_RUNS
