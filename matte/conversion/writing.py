"""Networks as ONNX files, each compared with torch before it is there."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper
from torch import Tensor, nn

from matte.conversion.folding import with_half_weights, without_batch_norms
from matte.conversion.graphs import store_half, traced
from matte.errors import OutputError, WeightsError
from matte.runtime.opener import open_onnx_file
from matte.runtime.openvino import openvino  # type: ignore[attr-defined]  # kept from reporting

SAME = 1e-4  # largest difference between the runtimes, on equal weights
ROUNDED = 0.02  # largest mean difference that rounding the weights may make
REMEDY = "export it with the versions in pyproject.toml"

Case = Mapping[str, Tensor]
Run = Callable[[Mapping[str, NDArray[Any]]], Mapping[Any, NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Difference:
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
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        worst = max(self.differences, key=lambda d: d.largest)
        rounding = max(d.rounding for d in self.differences)
        return (
            f"{self.path.name} ({self.network}):"
            f" at most {worst.largest:.1e} from torch ({worst.runtime})"
            + (f", {rounding:.1e} on average from float32 weights" if rounding else "")
        )


def write_network(
    network: nn.Module,
    path: Path,
    notes: Mapping[str, str],
    cases: Sequence[Case],
    output: str,
    *,
    half: bool,
    same: float = SAME,
) -> ParityReport:
    """Writes a network as ONNX for any size and says how well ONNX Runtime and OpenVINO agree
    with torch on the `cases`, of which the first is traced. Nothing is left at `path` when they
    are farther apart than `same`.

    `half` stores the weights as float16; all computation stays float32. `notes` go into the file,
    "kind" and "architecture" among them; what stands in them is all that the way back needs.
    """
    plain = copy.deepcopy(network).cpu().float().eval()
    folded = without_batch_norms(plain, cases[0])
    stored = with_half_weights(folded) if half else folded
    model = traced(stored, cases[0], [output])
    if half:
        store_half(model, (name for name, _ in stored.named_parameters()))
    helper.set_model_props(model, {f"matte.{key}": value for key, value in notes.items()})
    with _verified(path) as temporary:
        onnx.save(model, temporary)
        onnx.checker.check_model(temporary, full_check=True)
        found = tuple(differences(temporary, stored, cases, plain if half else None))
        refuse_difference(found, same)
    name = ", ".join(v for k, v in notes.items() if k in ("kind", "architecture", "encoder"))
    return ParityReport(path, name, found)


def differences(
    file: Path, network: nn.Module, cases: Iterable[Case], unrounded: nn.Module | None = None
) -> Iterator[Difference]:
    """How far ONNX Runtime and OpenVINO are from torch for each case of inputs, whose first is
    a map (N, C, H, W). `unrounded`: the same network before its weights were rounded.
    """
    session = open_onnx_file(file)
    # Not as a session of matte's: those keep what they compile.
    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    runtimes: dict[str, Run] = {session.execution.backend: session.run, "openvino": compiled}
    for case in cases:
        with torch.inference_mode():
            expected = network(**case).numpy()
            full = expected if unrounded is None else unrounded(**case).numpy()
        given = {name: tensor.numpy() for name, tensor in case.items()}
        for runtime, run in runtimes.items():
            found = compared(runtime, run, given, expected)
            yield replace(found, rounding=float(np.abs(expected - full).mean()))


def compared(
    runtime: str, run: Run, given: Mapping[str, NDArray[Any]], expected: NDArray[np.float32]
) -> Difference:
    """How far the one output of a runtime is from what is expected.

    The first of the inputs is a map (N, C, H, W). Another shape than the expected is refused.
    """
    (found,) = run(given).values()
    if found.shape != expected.shape:
        raise WeightsError(
            f"the exported network gives {found.shape}, not {expected.shape}", REMEDY
        )
    apart = np.abs(found - expected)
    height, width = next(iter(given.values())).shape[2:]
    return Difference(runtime, height, width, float(apart.max()), float(apart.mean()))


def refuse_difference(found: Iterable[Difference], same: float = SAME) -> None:
    """Raises if a runtime is farther from torch than it may be."""
    for d in found:
        # Phrased so that NaN fails.
        if not (d.largest <= same and d.rounding <= ROUNDED):
            raise WeightsError(
                f"the exported network on {d.runtime} differs from torch by {d.largest:.1e}"
                f" ({d.rounding:.1e} on average from float32 weights) at {d.width}×{d.height}",
                REMEDY,
            )


def smooth(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Noise 0 … 1 in blocks of 16 × 16, equal for equal heights: white noise is nothing that a
    network sees.
    """
    random = torch.Generator().manual_seed(height)
    coarse = torch.rand(batch, channels, height // 16, width // 16, generator=random)
    return coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)


@contextmanager
def _verified(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, for a file that takes its place once the block is through.

    If the block raises, nothing is left.
    """
    temporary = path.with_name(f"{path.stem}.part.onnx")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"can't write {path}", str(error.strerror)) from error
    finally:
        temporary.unlink(missing_ok=True)
