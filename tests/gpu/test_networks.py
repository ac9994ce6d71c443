from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from matte.gpu.networks import run_session
from matte.refiner.mirrored import MirroredSession
from tests.fakes import FakeSession

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
