"""ONNX Runtime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from matte.errors import BackendError, WeightsError

QUIET = 4  # what goes wrong is raised; nothing needs to be printed too


class OnnxSession:
    """A network on ONNX Runtime's CPU provider."""

    backend = "onnx"
    precision = "fp32"

    def __init__(self, network: Path, threads: int, precision: str = "fp32") -> None:
        """`precision` is fp32: its CPU provider has no other."""
        onnxruntime.set_default_logger_severity(QUIET)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = QUIET
        # Plans for one size waste memory where every picture has another: 3.6 GiB instead of 2.3
        # for GCA at 1920 × 1088, no faster (benchmarks/attention.py).
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(
                network, options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime's errors have no common class below Exception.
        except Exception as error:
            raise WeightsError(
                f"ONNX Runtime can't load {network} ({_reason(error)})", "give a whole ONNX file"
            ) from error
        inputs = self._session.get_inputs()
        if any(i.type != "tensor(float)" for i in inputs):
            raise WeightsError(f"{network} takes {inputs[0].type}", "give one that takes float32")
        self.inputs = {
            i.name: tuple(d if isinstance(d, int) else None for d in i.shape) for i in inputs
        }
        self._outputs = [o.name for o in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name."""
        try:
            values = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # as above
            raise BackendError(
                f"ONNX Runtime failed ({_reason(error)})", "try --backend openvino"
            ) from error
        return {n: np.asarray(v, np.float32) for n, v in zip(self._outputs, values, strict=True)}

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
