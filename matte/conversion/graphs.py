"""Torch networks as ONNX graphs, and how far the runtimes' results are from torch's."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import torch
from torch import Tensor, nn

from matte.errors import OutputError, WeightsError
from matte.runtime.onnx import OnnxSession
from matte.runtime.session import usable_threads

OPSET = 18
MULTIPLE = 32  # of the height and width of what our networks take
LARGEST = 256  # times the multiple
SAME = 1e-4  # largest difference between the runtimes
REMEDY = "export it with the versions in pyproject.toml"


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a runtime's output is from torch's at one height and width: largest and mean."""

    runtime: str
    height: int
    width: int
    largest: float
    mean: float


def traced(
    network: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str], *, free: bool
) -> onnx.ModelProto:
    """The network's graph for any batch; if `free`, for any multiples of 32 as height and width.

    `inputs` are examples, named as the arguments of `forward`: maps (N, C, H, W) or one number for
    each item, (N,).
    """
    # The named sizes: the exporter can't see by itself that the decoder needs multiples of 32.
    dim = torch.export.Dim
    sizes: dict[int, Any] = {0: dim("batch")}
    if free:
        sizes[2] = MULTIPLE * dim("rows", min=1, max=LARGEST)
        sizes[3] = MULTIPLE * dim("columns", min=1, max=LARGEST)
    with warnings.catch_warnings():
        # torch.export copies tree specs, which warns about torch's own deprecated class.
        warnings.filterwarnings("ignore", r".*isinstance\(treespec", FutureWarning)
        # Inputs of one size share its name, as they should.
        warnings.filterwarnings("ignore", "# The axis name: .* will not be used", UserWarning)
        program = torch.onnx.export(
            network,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=outputs,
            opset_version=OPSET,
            dynamic_shapes={
                name: {axis: size for axis, size in sizes.items() if axis < example.ndim}
                for name, example in inputs.items()
            },
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model.graph)
    _name_sizes(model.graph)
    return model


def differences(
    file: Path, network: nn.Module, cases: Iterable[Mapping[str, Tensor]]
) -> Iterator[Difference]:
    """How far ONNX Runtime and OpenVINO are from torch for each case of inputs, whose first is
    a map (N, C, H, W); all outputs together, unless their shapes differ: then the file is refused.
    """
    session = OnnxSession(file, usable_threads())
    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for case in cases:
        with torch.inference_mode():
            given = network(**case)
        expected = [t.numpy() for t in ((given,) if isinstance(given, Tensor) else given)]
        arrays = {name: tensor.numpy() for name, tensor in case.items()}
        _, _, height, width = next(iter(case.values())).shape
        for runtime, run in (("onnx", session.run), ("openvino", compiled)):
            found = [np.asarray(values) for values in run(arrays).values()]
            shapes = [[values.shape for values in some] for some in (found, expected)]
            if shapes[0] != shapes[1]:
                raise WeightsError(
                    f"the exported network gives {shapes[0]}, not {shapes[1]}", REMEDY
                )
            apart = np.concatenate(
                [np.abs(a - b).ravel() for a, b in zip(found, expected, strict=True)]
            )
            yield Difference(runtime, height, width, float(apart.max()), float(apart.mean()))


@contextmanager
def verified(path: Path) -> Iterator[Path]:
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


def refuse_difference(found: Iterable[Difference], largest: float = SAME) -> None:
    """Raises if a runtime is farther from torch than it may be."""
    for d in found:
        # Phrased so that NaN fails.
        if not d.largest <= largest:
            raise WeightsError(
                f"the exported network on {d.runtime} differs from torch by {d.largest:.1e}"
                f" at {d.width}×{d.height}",
                REMEDY,
            )


def _strip(graph: onnx.GraphProto) -> None:
    """Removes the exporter's notes: stack traces with this machine's paths, and 0.4 MB."""
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.metadata_props[:]
    graph.doc_string = ""
    del graph.value_info[:]


def _name_sizes(graph: onnx.GraphProto) -> None:
    """Calls the free sizes batch, height and width, as people who open the file expect."""
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim, name in zip(dims, ("batch", "channels", "height", "width"), strict=False):
            if dim.dim_param:
                dim.dim_param = name
