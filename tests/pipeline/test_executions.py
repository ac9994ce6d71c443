from dataclasses import replace

import pytest

from matte.configs.loader import merge_settings, with_modnet
from matte.errors import BackendError
from matte.fleet.executions import PinnedNetworks, choose_executions
from matte.runtime.execution import Execution

QUICK = merge_settings(
    "fast", flags={"refiner": "guided", "backend": "onnx", "precision": "fp32", "device": "cpu"}
)


def test_every_network_of_the_settings_is_chosen_for() -> None:
    chosen = choose_executions(QUICK, has_clips=False)
    assert chosen == {
        "segmenter person-light": Execution("onnx", "cpu", "fp32"),
        "modnet modnet": Execution("onnx", "cpu", "fp32"),
    }
    without = merge_settings("fast", flags={"refiner": "guided", "fallback": "none"})
    assert list(choose_executions(without, has_clips=True)) == ["segmenter person-light"]
    assert list(choose_executions(with_modnet(QUICK), has_clips=False)) == ["modnet modnet"]


def test_pinned_networks_run_as_they_are_pinned() -> None:
    chosen = {"segmenter person-light": Execution("openvino", "cpu", "fp32")}
    networks = PinnedNetworks(QUICK.config, chosen)
    assert networks.network("segmenter", "person-light").session.execution.backend == "openvino"
    assert networks.network("modnet", "modnet").session.execution.backend == "onnx"


def test_what_a_machine_can_not_run_is_an_error() -> None:
    pinned = {"segmenter person-light": Execution("onnx", "gpu:7", "fp16")}
    runtime = replace(QUICK.config.runtime, threads=1)
    with pytest.raises(BackendError):
        PinnedNetworks(replace(QUICK.config, runtime=runtime), pinned).network(
            "segmenter", "person-light"
        )
