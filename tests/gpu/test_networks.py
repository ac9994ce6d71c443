from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.gpu.networks import DeviceSession, run_session
from matte.pipeline.networks import open_network
from matte.runtime.mirrored import MirroredSession
from matte.runtime.onnx import OnnxSession, PlacedValues
from matte.runtime.torch import TorchSession
from tests.fakes import FakeSession
from tests.tolerances import RUNTIMES

IMAGE = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))


class OnDevice(FakeSession):
    """A session that takes tensors where they are."""

    def run_on_device(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"mask": inputs["image"][:, :1] * torch.linspace(0, 1, 5)}


def never(_: Any) -> Any:
    raise AssertionError


def first_channel(values: Any) -> Any:
    return values[:, :1] * np.linspace(0, 1, 5, dtype=np.float32)


def test_a_session_that_knows_the_device_gets_tensors() -> None:
    assert run_session(OnDevice(never), {"image": IMAGE}).shape == (2, 1, 4, 5)


def test_other_sessions_get_arrays() -> None:
    found = run_session(FakeSession(first_channel), {"image": IMAGE})
    assert torch.equal(found, run_session(OnDevice(never), {"image": IMAGE}))


def test_a_mirrored_session_sees_both_sides_on_the_device() -> None:
    expected = run_session(MirroredSession(FakeSession(first_channel)), {"image": IMAGE})
    found = run_session(MirroredSession(OnDevice(never)), {"image": IMAGE})
    assert torch.allclose(found, expected)


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_the_runtimes_give_what_they_give_arrays(backend: str) -> None:
    """ONNX Runtime reads the tensors where they are, here on the CPU."""
    settings = RuntimeSettings(backend=backend, device="cpu", precision="fp32")  # type: ignore[arg-type]  # one of its words
    session = open_network("segmenter", "person-light", settings).session
    (name,) = session.inputs
    picture = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    (expected,) = session.run({name: picture.numpy()}).values()
    found = run_session(session, {name: picture.transpose(2, 3).contiguous().transpose(2, 3)})
    assert np.abs(found.numpy() - expected).max() <= RUNTIMES


def test_a_network_of_another_output_is_an_error_in_place() -> None:
    settings = RuntimeSettings(backend="onnx", device="cpu", precision="fp32")
    session = open_network("segmenter", "person-light", settings).session
    assert isinstance(session, OnnxSession)
    (name,) = session.inputs
    picture, wrong = torch.rand(1, 3, 64, 96), torch.empty(1, 1, 64, 95)
    placed = [PlacedValues(tuple(x.shape), x.data_ptr()) for x in (picture, wrong)]
    with pytest.raises(BackendError, match="ONNX Runtime failed"):
        session.run_in_place({name: placed[0]}, placed[1])


def test_torch_keeps_tensors() -> None:
    class Mean(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image.mean(dim=1, keepdim=True)

    session = TorchSession(Mean(), {"image": (None, 3, None, None)}, "output")
    assert isinstance(session, DeviceSession)
    assert torch.allclose(run_session(session, {"image": IMAGE}), IMAGE.mean(1, keepdim=True))
