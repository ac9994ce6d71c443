from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.evaluation import network_costs, timed_sessions
from matte.evaluation.network_costs import cost_steps, measure_costs
from matte.evaluation.timed_sessions import RUNS_OF_A_TURN
from matte.runtime.opener import open_execution
from tests.evaluation.conftest import Write
from tests.evaluation.costs import ONNX, OPENVINO, Watched, measure_cost, opened, settings_for


def test_all_runtimes_get_the_same_portrait(bright: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(
        timed_sessions, "open_execution", lambda *words: Watched(open_execution(*words), seen)
    )
    settings = settings_for()
    cost = measure_cost(opened(bright, settings), settings, runs=RUNS_OF_A_TURN)
    assert (cost.height, cost.width, cost.parameters) == (64, 64, 4)
    assert cost.macs == 64 * 64 * 3
    assert list(cost.runtimes) == [ONNX, OPENVINO]
    for timing in cost.runtimes.values():
        assert timing.ms is not None
        assert timing.ms.count == RUNS_OF_A_TURN
        assert 0 < timing.ms.low <= timing.ms.median <= timing.ms.high
        assert timing.difference is not None
        assert timing.difference < 1e-3
    assert len(seen) == 2 * (1 + 1 + RUNS_OF_A_TURN), "compared, warmed up, timed"
    assert all(np.array_equal(inputs["image"], seen[0]["image"]) for inputs in seen)
    assert seen[0]["image"].std() > 0.1, "a picture"
    plain = cost.as_json()
    assert plain["input"] == {"width": 64, "height": 64}
    assert plain["runtimes"][ONNX]["ms"]["runs"] == RUNS_OF_A_TURN


def test_channels_may_come_last() -> None:
    first, last = np.zeros((1, 3, 48, 64), np.float32), np.zeros((1, 48, 64, 3), np.float32)
    assert network_costs._picture_size({"image": first}) == (48, 64)
    assert network_costs._picture_size({"image": last}) == (48, 64)


def test_networks_run_in_turns(
    bright: Path, linear_network: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy moment hits all of them, and each is warm before it is timed."""
    order: list[str] = []

    class Named(Watched):
        def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
            order.append("first" if inputs["image"].shape[2] == 64 else "other")
            return super().run(inputs)

    monkeypatch.setattr(
        timed_sessions, "open_execution", lambda *words: Named(open_execution(*words), [])
    )
    settings = settings_for(backend="onnx")
    other = linear_network("other", [[1.0] * 3], [-1.0], shape=(1, 3, 32, 32), sigmoid=True)
    networks = {"first": opened(bright, settings), "other": opened(other, settings)}
    steps: list[int] = []
    runs = 2 * RUNS_OF_A_TURN
    measure_costs(networks, settings, runs, lambda: steps.append(len(steps)))
    assert order[:2] == ["first", "other"], "compared"
    turn = 1 + RUNS_OF_A_TURN
    assert order[2:] == (["first"] * turn + ["other"] * turn) * 2
    assert len(steps) == cost_steps(2, runs) == 4
