"""Compare exported networks with torch, and refuse those that differ too much."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.errors import WeightsError
from matte.runtime.opener import open_onnx_file
from matte.runtime.openvino import openvino  # type: ignore[attr-defined]  # kept from reporting

MAX_DIFFERENCE = 1e-4  # largest difference between the runtimes, on equal weights
MAX_ROUNDING = 0.02  # largest mean difference that rounding the weights may make
EXPORT_REMEDY = "export it with the versions in pyproject.toml"

Example = Mapping[str, Tensor]
NetworkRun = Callable[[Mapping[str, NDArray[Any]]], Mapping[Any, NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """How far a runtime's output is from torch's at one height and width, largest and mean.

    `rounding`: the mean difference that rounding the weights to half made to torch's own output.
    """

    runtime: str
    height: int
    width: int
    largest: float
    mean: float
    rounding: float = 0.0


@dataclass(frozen=True, slots=True)
class ParityReport:
    """A written file, the network in it, and how far each runtime is from torch."""

    path: Path
    network: str
    differences: tuple[OutputDifference, ...]

    def __str__(self) -> str:
        worst = max(self.differences, key=lambda d: d.largest)
        rounding = max(d.rounding for d in self.differences)
        return (
            f"{self.path.name} ({self.network}):"
            f" at most {worst.largest:.1e} from torch ({worst.runtime})"
            + (f", {rounding:.1e} on average from float32 weights" if rounding else "")
        )


def runtime_differences(
    file: Path, network: nn.Module, examples: Iterable[Example], unrounded: nn.Module | None = None
) -> Iterator[OutputDifference]:
    """Yield how far ONNX Runtime and OpenVINO are from torch on each example.

    The first input of an example is a map (N, C, H, W). `unrounded`: the same network before its
    weights were rounded.
    """
    session = open_onnx_file(file)
    # Not as a session of matte's: those keep what they compile.
    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    runtimes: dict[str, NetworkRun] = {session.execution.backend: session.run, "openvino": compiled}
    for example in examples:
        with torch.inference_mode():
            expected = network(**example).numpy()
            full = expected if unrounded is None else unrounded(**example).numpy()
        inputs = {name: tensor.numpy() for name, tensor in example.items()}
        for runtime, run in runtimes.items():
            found = output_difference(runtime, run, inputs, expected)
            yield replace(found, rounding=float(np.abs(expected - full).mean()))


def output_difference(
    runtime: str, run: NetworkRun, inputs: Mapping[str, NDArray[Any]], expected: NDArray[np.float32]
) -> OutputDifference:
    """Return how far the one output of a runtime is from the expected one.

    The first of the inputs is a map (N, C, H, W). Another shape than the expected is refused.
    """
    (found,) = run(inputs).values()
    if found.shape != expected.shape:
        raise WeightsError(
            f"the exported network gives {found.shape}, not {expected.shape}", EXPORT_REMEDY
        )
    apart = np.abs(found - expected)
    height, width = next(iter(inputs.values())).shape[2:]
    return OutputDifference(runtime, height, width, float(apart.max()), float(apart.mean()))


def check_differences(
    found: Iterable[OutputDifference], max_difference: float = MAX_DIFFERENCE
) -> None:
    """Raise WeightsError if a runtime is farther from torch than it may be."""
    for d in found:
        # Phrased so that NaN fails.
        if not (d.largest <= max_difference and d.rounding <= MAX_ROUNDING):
            raise WeightsError(
                f"the exported network on {d.runtime} differs from torch by {d.largest:.1e}"
                f" ({d.rounding:.1e} on average from float32 weights) at {d.width}×{d.height}",
                EXPORT_REMEDY,
            )


def smooth_noise(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Return noise 0 … 1 in blocks of 16 × 16 pixels, the same for the same height.

    White noise would be nothing that a network is trained for.
    """
    random = torch.Generator().manual_seed(height)
    coarse = torch.rand(batch, channels, height // 16, width // 16, generator=random)
    return coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)
