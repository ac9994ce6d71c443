"""What every runtime offers, and how one is opened and trusted."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError
from matte.registry import resolve

BACKENDS = {
    "onnx": "matte.runtime.onnx:OnnxSession",
    "openvino": "matte.runtime.openvino:OpenVinoSession",
}
CAPABILITIES = {"bf16": "matte.runtime.openvino:has_bf16"}
# The package that a backend needs, in the order in which `auto` tries them: on CPUs OpenVINO
# is the faster one.
PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


class Session(Protocol):
    """A network that is ready to run; all its inputs are float32."""

    backend: str
    precision: str  # fp32 or bf16
    inputs: dict[str, tuple[int | None, ...]]  # name: shape, None where it is free

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name; safe to call from several threads."""
        ...

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        ...


def open_session(network: Path, settings: RuntimeSettings, bf16: bool = False) -> Session:
    """The ONNX file `network`, ready to run on the backend that the settings ask for.

    `bf16`: whether it is known to be as good in bfloat16, which `auto` then takes where it can.
    """
    backend = settings.backend if settings.backend != "auto" else _first_installed()
    if backend == "torch":
        raise BackendError(
            f"{network.name} is an ONNX file, which torch can't run", "use --backend onnx"
        )
    if find_spec(PACKAGES[backend]) is None:
        raise BackendError(
            f"backend {backend!r} is not installed", f"pip install {PACKAGES[backend]}"
        )
    make = resolve("backend", BACKENDS, backend)
    session: Session = make(
        network, settings.threads or usable_threads(), _precision(backend, settings, bf16)
    )
    return session


def _precision(backend: str, settings: RuntimeSettings, bf16: bool) -> str:
    """The precision to run in, of those that the backend has on this machine."""
    if settings.precision == "fp32" or (settings.precision == "auto" and not bf16):
        return "fp32"
    has_it = backend == "openvino" and resolve("capability", CAPABILITIES, "bf16")()
    if settings.precision == "bf16" and not has_it:
        raise BackendError(
            f"backend {backend!r} has no bf16 here",
            "use --backend openvino on a processor with bf16, or --precision fp32",
        )
    return "bf16" if has_it else "fp32"


def usable_threads() -> int:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def told_size(session: Session) -> int:
    """The size that the network's file says it was trained at; 0 if it says nothing."""
    told = session.metadata().get("matte.size")
    if told is None:
        return 0
    if not (told.isdecimal() and 32 <= int(told) <= 4096):
        raise WeightsError(f"the network's matte.size is {told!r}", "export it again")
    return int(told)


def picture_input(session: Session, kind: str) -> tuple[str, tuple[int, int] | None]:
    """The one input of a network that takes RGB as (1, 3, H, W), and its H and W if they are fixed.

    Raises for any other network; `kind` is what was asked for.
    """
    for name, shape in session.inputs.items():
        if len(session.inputs) > 1 or len(shape) != 4 or shape[1] not in (3, None):
            break
        height, width = shape[2:]
        if height is None and width is None:
            return name, None
        if height is not None and width is not None:
            return name, (height, width)
    raise WeightsError(
        f"the network takes {session.inputs}", f"give a {kind} with one RGB input, (1, 3, H, W)"
    )


def run_map(session: Session, name: str, picture: NDArray[np.float32], kind: str) -> Any:
    """The one (H, W) map of values 0 … 1 that a network gives for a picture (1, 3, H, W)."""
    outputs = list(session.run({name: picture}).values())
    shapes = [values.shape for values in outputs]
    if shapes != [(1, 1, *picture.shape[2:])]:
        raise WeightsError(
            f"the network gives outputs of shape {shapes} for {picture.shape}",
            f"give a {kind} with one output, (1, 1, H, W)",
        )
    values = outputs[0][0, 0]
    # The comparison is phrased so that NaN fails it.
    if not (values.min() >= -1e-3 and values.max() <= 1 + 1e-3):
        raise WeightsError(
            f"the network gives values from {values.min():.3g} to {values.max():.3g}",
            f"give a {kind} whose last layer is a sigmoid",
        )
    return np.clip(values, 0, 1)


def _first_installed() -> str:
    for backend, package in PACKAGES.items():
        if find_spec(package) is not None:
            return backend
    raise BackendError("no inference runtime is installed", "pip install openvino")
