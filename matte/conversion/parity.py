"""How far exported networks are from torch, and how far they may be."""

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
    """How far a runtime's output is from torch's at one height and width, largest and mean, and
    what rounding the weights did to torch's, on average.
    """

    runtime: str
    height: int
    width: int
    largest: float
    mean: float
    rounding: float = 0.0


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The file that was written, what it holds, and how far the runtimes are from torch."""

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
    file: Path, network: nn.Module, cases: Iterable[Example], unrounded: nn.Module | None = None
) -> Iterator[OutputDifference]:
    """How far ONNX Runtime and OpenVINO are from torch for each case of inputs, whose first is
    a map (N, C, H, W). `unrounded`: the same network before its weights were rounded.
    """
    session = open_onnx_file(file)
    # Not as a session of matte's: those keep what they compile.
    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    runtimes: dict[str, NetworkRun] = {session.execution.backend: session.run, "openvino": compiled}
    for case in cases:
        with torch.inference_mode():
            expected = network(**case).numpy()
            full = expected if unrounded is None else unrounded(**case).numpy()
        given = {name: tensor.numpy() for name, tensor in case.items()}
        for runtime, run in runtimes.items():
            found = output_difference(runtime, run, given, expected)
            yield replace(found, rounding=float(np.abs(expected - full).mean()))


def output_difference(
    runtime: str, run: NetworkRun, given: Mapping[str, NDArray[Any]], expected: NDArray[np.float32]
) -> OutputDifference:
    """How far the one output of a runtime is from what is expected.

    The first of the inputs is a map (N, C, H, W). Another shape than the expected is refused.
    """
    (found,) = run(given).values()
    if found.shape != expected.shape:
        raise WeightsError(
            f"the exported network gives {found.shape}, not {expected.shape}", EXPORT_REMEDY
        )
    apart = np.abs(found - expected)
    height, width = next(iter(given.values())).shape[2:]
    return OutputDifference(runtime, height, width, float(apart.max()), float(apart.mean()))


def check_differences(found: Iterable[OutputDifference], same: float = MAX_DIFFERENCE) -> None:
    """Raises if a runtime is farther from torch than it may be."""
    for d in found:
        # Phrased so that NaN fails.
        if not (d.largest <= same and d.rounding <= MAX_ROUNDING):
            raise WeightsError(
                f"the exported network on {d.runtime} differs from torch by {d.largest:.1e}"
                f" ({d.rounding:.1e} on average from float32 weights) at {d.width}×{d.height}",
                EXPORT_REMEDY,
            )


def smooth_noise(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Noise 0 … 1 in blocks of 16 × 16, equal for equal heights: white noise is nothing that a
    network sees.
    """
    random = torch.Generator().manual_seed(height)
    coarse = torch.rand(batch, channels, height // 16, width // 16, generator=random)
    return coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)
