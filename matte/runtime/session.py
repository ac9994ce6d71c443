"""What every runtime offers, and how one is opened."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.registry import resolve

BACKENDS = {
    "onnx": "matte.runtime.onnx:OnnxSession",
    "openvino": "matte.runtime.openvino:OpenVinoSession",
}
# The package that a backend needs, in the order in which `auto` tries them: on CPUs OpenVINO
# is the faster one.
PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


class Session(Protocol):
    """A network that is ready to run."""

    backend: str
    inputs: dict[str, tuple[int | None, ...]]  # name: shape, None where it is free

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name; safe to call from several threads."""
        ...

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        ...


def open_session(network: Path, settings: RuntimeSettings) -> Session:
    """The ONNX file `network`, ready to run on the backend that the settings ask for."""
    backend = settings.backend if settings.backend != "auto" else _first_installed()
    if find_spec(PACKAGES[backend]) is None:
        raise BackendError(
            f"backend {backend!r} is not installed", f"pip install {PACKAGES[backend]}"
        )
    make = resolve("backend", BACKENDS, backend)
    session: Session = make(network, settings.threads or usable_threads())
    return session


def usable_threads() -> int:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_installed() -> str:
    for backend, package in PACKAGES.items():
        if find_spec(package) is not None:
            return backend
    raise BackendError("no inference runtime is installed", "pip install openvino")
