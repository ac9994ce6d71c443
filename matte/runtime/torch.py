"""PyTorch, with the network handed in: this module knows no architecture."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from matte.errors import BackendError


class TorchSession:
    """A torch module whose `forward` takes the named inputs, on the CPU in float32."""

    backend = "torch"
    precision = "fp32"

    def __init__(
        self,
        network: torch.nn.Module,
        inputs: dict[str, tuple[int | None, ...]],
        output: str,
        threads: int,
    ) -> None:
        torch.set_num_threads(threads)
        self.inputs = inputs
        self._network = network.eval()
        self._output = output

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The output by its name."""
        try:
            with torch.inference_mode():
                values = self._network(**{k: torch.from_numpy(v) for k, v in inputs.items()})
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0]
            raise BackendError(f"torch failed ({reason})", "try --backend onnx") from error
        return {self._output: np.asarray(values.numpy(), np.float32)}

    def metadata(self) -> dict[str, str]:
        """Nothing: what torch weights are made for stands in the store's manifest."""
        return {}
