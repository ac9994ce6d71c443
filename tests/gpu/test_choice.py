"""Whether work goes to a GPU, and how much of it at once; none is needed to decide that."""

import warnings
from typing import Any

import pytest
import torch

from matte.errors import MatteWarning, PictureError
from matte.gpu import choice
from matte.gpu.choice import device_of, plan_batch, plan_device
from matte.runtime.memory import MemoryLimit
from matte.stages import NetworkFacts
from tests.fakes import Unrefined
from tests.gpu.lines import line, settings

GIB = 1 << 30
DEVICE = torch.device("cuda", 1)
FULL_HD = (1080, 1920)


class Networks(Unrefined):
    """A line of which only is known where its networks run."""

    def __init__(self, *executions: tuple[str, str]) -> None:
        self._facts = {
            str(n): NetworkFacts("n", "", {"backend": backend, "device": device})
            for n, (backend, device) in enumerate(executions)
        }

    @property
    def network_facts(self) -> dict[str, NetworkFacts]:
        return self._facts

    def run(self, *_: Any) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    "executions",
    [(), (("onnx", "cpu"),), (("onnx", "gpu:0"), ("onnx", "cpu")), (("openvino", "gpu:0"),)],
)
def test_other_networks_leave_all_on_the_processor(executions: tuple[Any, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert device_of(Networks(*executions), settings()) is None


def test_a_line_follows_its_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "no_torch_gpu_reason", str)
    config = settings()
    assert device_of(line(config), config) == torch.device("cuda", 0)
    with pytest.warns(MatteWarning, match=r"only the networks run on the GPU \(there are more"):
        assert device_of(line(config), config, deep=True) is None
    with pytest.warns(MatteWarning, match="despeckle is set"):
        assert plan_device(line(config), settings(despeckle=2), FULL_HD, MemoryLimit()) is None
    cleaned = settings(keep_parts=1)
    with pytest.warns(MatteWarning, match="keep_parts is set"):
        assert device_of(line(cleaned), cleaned) is None


def test_without_a_torch_for_it_only_networks_run_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "no_torch_gpu_reason", lambda: "torch is not installed")
    config = settings()
    with pytest.warns(MatteWarning, match="torch is not installed"):
        assert device_of(line(config), config) is None


def test_as_many_frames_as_fit() -> None:
    whole = plan_batch(DEVICE, FULL_HD, MemoryLimit(), 100 * GIB)
    assert whole.batch == choice.MAX_BATCH
    few = plan_batch(DEVICE, FULL_HD, MemoryLimit(whole.planned_bytes - 1), 100 * GIB)
    assert few.batch < whole.batch
    assert few.planned_bytes < whole.planned_bytes
    assert few.as_json()["device"] == "cuda:1"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (GIB // 2, "on the GPU, and --max-memory is .*: raise --max-memory"),
        (0, "on the GPU, and 0.88 GiB are free: close other programs"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_with_numbers(limit: int, said: str) -> None:
    with pytest.raises(PictureError, match=f"a frame of 3840×2160 takes .*{said}"):
        plan_batch(DEVICE, (2160, 3840), MemoryLimit(limit), int(0.88 * GIB))
