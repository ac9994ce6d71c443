"""Sessions of PyTorch; the caller passes the network, this module knows no architecture."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime.cuda_graphs import GraphedNetwork
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import gpu_number
from matte.runtime.threads import usable_threads

CPU_EXECUTION = Execution("torch")
HALF_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def open_torch(
    network: NetworkSource, execution: Execution, settings: RuntimeSettings
) -> "TorchSession":
    """Open a network's torch weights."""
    assert network.torch is not None
    session = network.torch(execution, settings)
    assert isinstance(session, TorchSession)
    return session


class DeviceNetwork:
    """A torch network on an execution's device, in its precision; called like the network.

    Half precisions are torch's autocast: convolutions and products of matrices are in half, and
    what a network marks as exact stays float32, such as an attention's similarities. Results are
    float32. Threads may share it.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        execution: Execution,
        *,
        compiled: bool = False,
        channels_last: bool = False,
    ) -> None:
        """Move the network to the device; the caller gives it away.

        `compiled`: by torch.compile, at the first call. `channels_last`: weights in that layout.
        """
        self.device = torch_device(execution)
        self._half = HALF_TYPES.get(execution.precision)
        with translate_torch_errors(self.device):
            network = network.eval().to(self.device)
            if channels_last:
                for parameter in network.parameters():
                    if parameter.dim() == 4:
                        parameter.data = parameter.data.contiguous(
                            memory_format=torch.channels_last
                        )
        self._network: Any = torch.compile(network) if compiled else network
        # Compilation is not made for threads.
        self._one_by_one: Any = threading.Lock() if compiled else contextlib.nullcontext()

    def __call__(self, *inputs: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
        """Return the network's output in float32."""
        autocast = torch.autocast(self.device.type, self._half, enabled=self._half is not None)
        with (
            translate_torch_errors(self.device),
            self._one_by_one,
            torch.inference_mode(),
            autocast,
        ):
            result: torch.Tensor = self._network(*inputs, **named)
        return result.float()


class TorchSession:
    """A torch module whose `forward` takes the named inputs and gives one output."""

    def __init__(
        self,
        network: torch.nn.Module,
        inputs: dict[str, tuple[int | None, ...]],
        output: str,
        execution: Execution = CPU_EXECUTION,
        settings: RuntimeSettings | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """`metadata` is what the network's ONNX file says, where it came from one.

        On CUDA, unless it is compiled, the network is replayed as a CUDA graph.
        """
        torch.set_num_threads((settings.threads if settings else 0) or usable_threads())
        self.execution = execution
        self.inputs = inputs
        compiled = settings is not None and settings.torch_compile
        network_there = DeviceNetwork(network, execution, compiled=compiled)
        self._device = network_there.device
        self._network: Callable[..., torch.Tensor] = network_there
        if self._device.type == "cuda" and not compiled:
            self._network = GraphedNetwork(network_there)
        self._output = output
        self._metadata = dict(metadata or {})

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on inputs by name, and return its one output by name."""
        device = self._device
        with translate_torch_errors(device):
            tensors = {name: torch.from_numpy(v).to(device) for name, v in inputs.items()}
            values = self._network(**tensors).cpu()
        return {self._output: np.asarray(values.numpy(), np.float32)}

    def run_on_device(self, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the one output by name, on the session's device, for inputs that lie there."""
        return {self._output: self._network(**inputs)}

    def metadata(self) -> dict[str, str]:
        """Return what the network's ONNX file says.

        Of torch weights it is nothing: the store's manifest says what they were made for.
        """
        return self._metadata


def torch_device(execution: Execution) -> torch.device:
    """Return torch's device of an execution, with TensorFloat-32 switched off on CUDA."""
    if execution.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        return torch.device("mps")
    # TF32 would halve the digits of what is called fp32.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda", gpu_number(execution.device))


@contextlib.contextmanager
def translate_torch_errors(device: torch.device) -> Iterator[None]:
    """Turn torch's RuntimeErrors within the block into BackendErrors with a remedy."""
    try:
        yield
    except RuntimeError as error:
        raise _as_matte_error(error, device) from error


def _as_matte_error(error: RuntimeError, device: torch.device) -> BackendError:
    """Return torch's error as one of matte: out of memory, torch.compile, or anything else."""
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in reason:
        if device.type == "cuda":
            torch.cuda.empty_cache()  # what other programs may need
        whose = "this machine's" if device.type == "cpu" else "the GPU's"
        remedy = "take a smaller picture" + (
            "" if device.type == "cpu" else ", --precision fp16 or --device cpu"
        )
        return BackendError(f"{whose} memory is too small ({reason})", remedy)
    if isinstance(error, torch._dynamo.exc.TorchDynamoException):
        cause = f"torch.compile failed ({type(error).__name__}: {reason})"
        return BackendError(cause, "install a C++ compiler, or leave --torch-compile out")
    remedy = "try --backend onnx" if device.type == "cpu" else "try --device cpu"
    return BackendError(f"torch failed ({reason})", remedy)
