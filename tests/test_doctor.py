"""What the doctor says of runtimes, GPUs and choices."""

import importlib.util

import pytest

from matte.configs.settings import RuntimeSettings
from matte.doctor import ExaminedPart, examine
from matte.pipeline.networks import open_weights
from matte.runtime import backends
from matte.runtime.gpus import NO_NVIDIA_GPU, nvidia_gpus
from matte.runtime.processor import ProcessorAbilities
from matte.weights.store import find_weights
from tests.conftest import SetAbilities


def findings() -> dict[str, ExaminedPart]:
    return {part.name: part for part in examine()}


@pytest.mark.parametrize("vnni", [True, False])
def test_devices_precisions_and_missing_gpus_are_said(
    vnni: bool, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(vnni=vnni))
    found = findings()
    on_cpu = "cpu (fp32, int8)" if vnni else "cpu (fp32)"
    assert on_cpu in found["runtime onnx"].details
    assert "runs 'person' on cpu" in found["runtime onnx"].details
    assert "runs 'person' on cpu" not in found["runtime torch"].details  # it is only for GPUs
    assert found["gpu"].details == (", ".join(nvidia_gpus()) or NO_NVIDIA_GPU)
    if not nvidia_gpus():
        assert "no GPU: " in found["runtime openvino"].details
        assert not found["runtime onnx-tensorrt"].works
        assert not found["runtime onnx-tensorrt"].needed


def test_what_auto_has_chosen_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = open_weights(find_weights("segmenter", "person-light"), RuntimeSettings()).execution
    details = findings()["auto person-light"].details
    assert details == f"{execution}: {execution.why}"


def test_a_runtime_that_is_not_there_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("no_such_package") is None
    monkeypatch.setitem(backends.BACKEND_PACKAGES, "torch", "no_such_package")
    found = findings()["runtime torch"]
    assert (found.works, found.remedy) == (False, "run pip install '.[torch]' in matte's checkout")
