"""OpenVINO."""

import contextlib
import functools
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.places import cache
from matte.errors import BackendError, WeightsError

# OpenVINO reports its use to an analytics server if this package can be imported, and does
# without it if it can't. Nothing that matte does is reported anywhere.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: no such module

import openvino  # noqa: E402  # after the line above

HINTS = {"fp32": "f32", "bf16": "bf16"}  # OpenVINO's names


@functools.cache
def has_bf16() -> bool:
    """Whether this processor calculates in bfloat16, and is not only able to imitate it."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoSession:
    """A network on OpenVINO's CPU plugin; compiled networks are kept on disk."""

    backend = "openvino"

    def __init__(self, network: Path, threads: int, precision: str = "fp32") -> None:
        self.precision = precision
        self._network = network
        self._core = openvino.Core()
        options = {
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
        }
        # Without a cache every start compiles: slow, not wrong.
        with contextlib.suppress(OSError):
            options["CACHE_DIR"] = str(_cache_of(network))
        try:
            self._compiled = self._core.compile_model(str(network), "CPU", options)
        except RuntimeError as error:
            raise WeightsError(
                f"OpenVINO can't load {network} ({_reason(error)})", "give a whole ONNX file"
            ) from error
        inputs = self._compiled.inputs
        if any(i.element_type != openvino.Type.f32 for i in inputs):
            kind = inputs[0].element_type.get_type_name()
            raise WeightsError(f"{network} takes {kind}", "give one that takes float32")
        self.inputs = {
            i.any_name: tuple(None if d.is_dynamic else d.get_length() for d in i.partial_shape)
            for i in inputs
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name."""
        try:
            # A request of its own for each call: requests must not be shared between threads.
            values = self._compiled.create_infer_request().infer(dict(inputs))
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO failed ({_reason(error)})", "try --backend onnx"
            ) from error
        return {o.any_name: np.array(v, np.float32) for o, v in values.items()}

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        info = self._core.read_model(str(self._network)).rt_info
        written = info["framework"] if "framework" in info else {}  # noqa: SIM401  # no dict
        return {key: str(getattr(value, "value", value)) for key, value in written.items()}


def _cache_of(network: Path) -> Path:
    """A folder for what is compiled from these bytes; OpenVINO itself looks at name and time."""
    digest = hashlib.sha256(network.read_bytes()).hexdigest()
    folder = cache() / "openvino" / digest[:20]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
