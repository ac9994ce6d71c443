"""Sessions of networks, called with tensors that stay on the device."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from matte.runtime.gpus import gpu_number
from matte.runtime.mirrored import MirroredSession
from matte.runtime.onnx import OnnxSession, PlacedValues
from matte.runtime.session import Session


@runtime_checkable
class DeviceSession(Protocol):
    """A session that also takes tensors of its device, and leaves its outputs there."""

    def run_on_device(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs by name, on the inputs' device."""
        ...


def run_session(session: Session, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the one output of a session's network, on the inputs' device, as float32.

    It is a map (N, 1, H, W) for pictures (N, C, H, W). By engines of TensorRT, torch and ONNX
    Runtime on CUDA nothing leaves the device. Other sessions get arrays, and what they give is
    brought back.
    """
    if isinstance(session, MirroredSession):
        mirrored = {n: v.flip(-1) if v.dim() == 4 else v for n, v in inputs.items()}
        there, back = (run_session(session.session, x) for x in (inputs, mirrored))
        return (there + back.flip(-1)) / 2
    if isinstance(session, DeviceSession):
        (values,) = session.run_on_device(inputs).values()
        return values.float()
    device = next(iter(inputs.values())).device
    if isinstance(session, OnnxSession) and _is_there(session, device):
        return _run_in_place(session, inputs)
    arrays = {name: values.cpu().contiguous().numpy() for name, values in inputs.items()}
    (found,) = session.run(arrays).values()
    return torch.from_numpy(np.ascontiguousarray(found, np.float32)).to(device)


def _is_there(session: OnnxSession, device: torch.device) -> bool:
    """Return whether a session runs on this device."""
    if device.type != "cuda":
        return session.execution.device == device.type
    number = gpu_number(session.execution.device)
    return session.execution.device != "cpu" and number == (device.index or 0)


def _run_in_place(session: OnnxSession, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return the output of ONNX Runtime, which reads and writes tensors where they are."""
    placed = {name: values.float().contiguous() for name, values in inputs.items()}
    picture = next(values for values in placed.values() if values.dim() == 4)
    count, _, height, width = picture.shape
    output = torch.empty((count, 1, height, width), device=picture.device)
    if picture.is_cuda:  # ONNX Runtime has a stream of its own
        torch.cuda.current_stream(picture.device).synchronize()
    session.run_in_place({name: _place(x) for name, x in placed.items()}, _place(output))
    return output


def _place(values: Tensor) -> PlacedValues:
    """Return where a tensor's values are."""
    return PlacedValues(tuple(values.shape), values.data_ptr())
