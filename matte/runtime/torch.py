"""PyTorch, with the network handed in: this module knows no architecture."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime.graphics import gpu_number
from matte.runtime.threads import usable_threads
from matte.runtime.ways import Network, Way

CPU = Way("torch")
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def open_torch(network: Network, way: Way, settings: RuntimeSettings) -> "TorchSession":
    """The network's torch weights, ready to run."""
    assert network.torch is not None
    session = network.torch(way, settings)
    assert isinstance(session, TorchSession)
    return session


class Prepared:
    """A network on a way's device, calculating in its precision; called as the network is.

    Half precisions are torch's autocast: convolutions and products of matrices are halved, and what
    a network marks as exact stays float32, such as an attention's likeness. Results are float32.
    Threads may share it.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        way: Way,
        *,
        compiled: bool = False,
        channels_last: bool = False,
    ) -> None:
        """`compiled` hands the network to torch.compile, which works when it is first called.
        The network itself is moved and laid out: it is the callee's from now on.
        """
        self.device = torch_device(way)
        self._half = HALVES.get(way.precision)
        with translated(self.device):
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

    def __call__(self, *given: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
        """The network's output."""
        autocast = torch.autocast(self.device.type, self._half, enabled=self._half is not None)
        with translated(self.device), self._one_by_one, torch.inference_mode(), autocast:
            result: torch.Tensor = self._network(*given, **named)
        return result.float()


class TorchSession:
    """A torch module whose `forward` takes the named inputs."""

    def __init__(
        self,
        network: torch.nn.Module,
        inputs: dict[str, tuple[int | None, ...]],
        output: str,
        way: Way = CPU,
        settings: RuntimeSettings | None = None,
    ) -> None:
        torch.set_num_threads((settings.threads if settings else 0) or usable_threads())
        self.way = way
        self.inputs = inputs
        compiled = settings is not None and settings.torch_compile
        self._network = Prepared(network, way, compiled=compiled)
        self._output = output

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The output by its name."""
        device = self._network.device
        with translated(device):
            given = {name: torch.from_numpy(v).to(device) for name, v in inputs.items()}
            values = self._network(**given).cpu()
        return {self._output: np.asarray(values.numpy(), np.float32)}

    def metadata(self) -> dict[str, str]:
        """Nothing: what torch weights are made for stands in the store's manifest."""
        return {}


def torch_device(way: Way) -> torch.device:
    """The device that a way means, as torch calls it."""
    if way.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        return torch.device("mps")
    # TF32 would halve the digits of what is called fp32.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device("cuda", gpu_number(way.device))


@contextlib.contextmanager
def translated(device: torch.device) -> Iterator[None]:
    """What torch raises, as errors of matte."""
    try:
        yield
    except RuntimeError as error:
        raise _told(error, device) from error


def _told(error: RuntimeError, device: torch.device) -> BackendError:
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
