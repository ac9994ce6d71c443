"""Sessions of networks, called with tensors that stay on the device."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from matte.refiner.mirrored import MirroredSession
from matte.runtime.session import Session


@runtime_checkable
class DeviceSession(Protocol):
    """A session that also takes tensors of its device, and leaves its outputs there."""

    def run_on_device(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs by name, on the inputs' device."""
        ...


def run_session(session: Session, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the one output of a session's network, on the inputs' device, as float32.

    By engines of TensorRT, torch and ONNX Runtime on CUDA nothing leaves the device. Other sessions
    get arrays, and what they give is brought back.
    """
    if isinstance(session, MirroredSession):
        mirrored = {n: v.flip(-1) if v.dim() == 4 else v for n, v in inputs.items()}
        there, back = (run_session(session.session, x) for x in (inputs, mirrored))
        return (there + back.flip(-1)) / 2
    if isinstance(session, DeviceSession):
        (values,) = session.run_on_device(inputs).values()
        return values.float()
    device = next(iter(inputs.values())).device
    arrays = {name: values.cpu().contiguous().numpy() for name, values in inputs.items()}
    (found,) = session.run(arrays).values()
    return torch.from_numpy(np.ascontiguousarray(found, np.float32)).to(device)
