"""Segmenter checkpoints to ONNX.

The file takes `image`, float32 RGB 0 … 1 (batch, 3, height, width) with any batch and any
multiples of 32, and gives `mask`, float32 (batch, 1, height, width), the probability of the
subject. Weights lie in it as float16, half the bytes, and are cast where they are used: every
computation is float32.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from matte.conversion.graphs import traced, verified
from matte.errors import WeightsError
from matte.runtime.onnx import OnnxSession
from matte.runtime.session import usable_threads
from matte.segmentation.network import (
    KIND,
    MULTIPLE,
    Probability,
    SegmentationNetwork,
    load_checkpoint,
)

EXAMPLE = torch.rand(2, 3, 2 * MULTIPLE, 3 * MULTIPLE)
SIZES = ((320, 192), (192, 320), (64, 320), (320, 320))
SAME_WEIGHTS = 1e-4  # largest difference between the runtimes, on equal weights
ROUNDED_WEIGHTS = 0.02  # largest mean difference that rounding the weights may make


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the ONNX file's mask is from torch's at one height and width: largest and mean,
    on the file's own rounded weights and on the checkpoint's.
    """

    height: int
    width: int
    largest: float
    mean: float
    largest_to_float32: float
    mean_to_float32: float


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The file that was written, and its differences to torch."""

    path: Path
    architecture: str
    size: int
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        same = max(d.largest for d in self.differences)
        rounded = max(d.mean_to_float32 for d in self.differences)
        return (
            f"{self.path.name} ({self.architecture}, {self.size} px):"
            f" at most {same:.1e} from torch, {rounded:.1e} on average from float32 weights"
        )


def export_segmenter(checkpoint: Path, path: Path) -> ParityReport:
    """Writes the checkpoint's network as ONNX and returns how well it agrees with torch.

    Nothing is left at `path` when it doesn't.
    """
    network, info = load_checkpoint(checkpoint)
    rounded = with_half_weights(without_batch_norms(network))
    model = traced(Probability(rounded).eval(), {"image": EXAMPLE}, ["mask"], free=True)
    _store_half(model.graph)
    helper.set_model_props(
        model,
        {
            "matte.kind": KIND,
            "matte.size": str(info.size),
            "matte.architecture": info.architecture,
        },
    )
    onnx.checker.check_model(model, full_check=True)
    with verified(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
        differences = tuple(_differences(temporary, network, rounded))
        report = ParityReport(path, info.architecture, info.size, differences)
        _refuse_difference(report)
    return report


def without_batch_norms(network: SegmentationNetwork) -> SegmentationNetwork:
    """A copy in evaluation mode whose norms are part of the convolutions before them."""
    folded = copy.deepcopy(network).eval()
    for sequence in [m for m in folded.modules() if isinstance(m, nn.Sequential)]:
        steps = list(_steps(sequence))
        for (owner, name, first), (norm_owner, norm_name, second) in pairwise(steps):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(owner, name, fuse_conv_bn_eval(first, second))
                setattr(norm_owner, norm_name, nn.Identity())
    return folded


def with_half_weights(network: SegmentationNetwork) -> SegmentationNetwork:
    """A copy whose convolutions' weights are float32 numbers that float16 holds exactly."""
    rounded = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in rounded.parameters():
            if parameter.ndim > 1:
                parameter.copy_(parameter.half().float())
    return rounded


def _steps(sequence: nn.Sequential) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """(owner, name, module) in the order that they run, through nested sequences."""
    for name, module in sequence.named_children():
        if isinstance(module, nn.Sequential):
            yield from _steps(module)
        else:
            yield sequence, name, module


def _store_half(graph: onnx.GraphProto) -> None:
    """Weights as float16, each followed by a Cast; biases and scalars stay as they are."""
    casts = []
    for initializer in graph.initializer:
        if initializer.data_type != TensorProto.FLOAT or len(initializer.dims) < 2:
            continue
        name = initializer.name
        half = numpy_helper.to_array(initializer).astype(np.float16)
        initializer.CopyFrom(numpy_helper.from_array(half, f"{name}.float16"))
        casts.append(helper.make_node("Cast", [f"{name}.float16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _differences(file: Path, network: nn.Module, rounded: nn.Module) -> Iterator[Difference]:
    session = OnnxSession(file, usable_threads())
    random = np.random.default_rng(1)
    for height, width in SIZES:
        # Smooth noise: white noise is nothing that a network sees.
        coarse = random.random((2, 3, height // 16, width // 16), np.float32)
        image = coarse.repeat(16, axis=2).repeat(16, axis=3)
        found = session.run({"image": image})["mask"]
        with torch.inference_mode():
            same, full = (n(torch.from_numpy(image)).sigmoid().numpy() for n in (rounded, network))
        if found.shape != same.shape:
            raise WeightsError(
                f"the exported mask's shape is {found.shape}, not {same.shape}",
                "export it with the versions in pyproject.toml",
            )
        to_same, to_full = np.abs(found - same), np.abs(found - full)
        yield Difference(
            height,
            width,
            float(to_same.max()),
            float(to_same.mean()),
            float(to_full.max()),
            float(to_full.mean()),
        )


def _refuse_difference(report: ParityReport) -> None:
    for d in report.differences:
        # Phrased so that NaN fails.
        if not (d.largest <= SAME_WEIGHTS and d.mean_to_float32 <= ROUNDED_WEIGHTS):
            raise WeightsError(
                f"the exported network differs from torch by {d.largest:.1e}"
                f" ({d.mean_to_float32:.1e} on average from float32 weights)"
                f" at {d.width}×{d.height}",
                "export it with the versions in pyproject.toml",
            )
