from dataclasses import replace

import pytest

from matte.configs.loader import merge_settings, with_modnet
from matte.errors import BackendError
from matte.pipeline import networks
from matte.pipeline.executions import PinnedNetworks, choose_executions
from matte.pipeline.networks import network_execution
from matte.runtime.execution import Execution

QUICK = merge_settings(
    "fast", flags={"refiner": "guided", "backend": "onnx", "precision": "fp32", "device": "cpu"}
)


def test_every_network_of_the_settings_is_chosen_for() -> None:
    chosen = choose_executions(QUICK, has_clips=False)
    assert chosen == {
        "segmenter subject-light": Execution("onnx", "cpu", "fp32"),
        "modnet modnet": Execution("onnx", "cpu", "fp32"),
    }
    without = merge_settings("fast", flags={"refiner": "guided", "fallback": "none"})
    assert list(choose_executions(without, has_clips=True)) == [
        "segmenter subject-light",
        "segmenter person-light",
    ]
    assert list(choose_executions(with_modnet(QUICK), has_clips=False)) == ["modnet modnet"]


def test_what_was_measured_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Execution("openvino", "cpu", "fp32")
    monkeypatch.setattr(networks, "remembered_execution", lambda *_: measured)
    monkeypatch.setattr(networks, "open_weights", None)
    settings = merge_settings("fast", flags={"fallback": "none"}).config.runtime
    assert network_execution("segmenter", "person-light", settings) == measured
    with pytest.raises(TypeError):  # there is no memory to compile it in
        network_execution("segmenter", "person-light", replace(settings, max_memory=1))


def test_pinned_networks_run_as_they_are_pinned() -> None:
    chosen = {"segmenter person-light": Execution("openvino", "cpu", "fp32", "the fastest here")}
    pinned = PinnedNetworks(QUICK.config, chosen)
    found = pinned.network("segmenter", "person-light").session.execution
    assert (found.backend, found.why) == ("openvino", "the fastest here")
    assert pinned.network("modnet", "modnet").session.execution.backend == "onnx"


def test_what_a_machine_can_not_run_is_an_error() -> None:
    pinned = {"segmenter person-light": Execution("onnx", "gpu:7", "fp16")}
    runtime = replace(QUICK.config.runtime, threads=1)
    with pytest.raises(BackendError):
        PinnedNetworks(replace(QUICK.config, runtime=runtime), pinned).network(
            "segmenter", "person-light"
        )
