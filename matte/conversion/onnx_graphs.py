"""Trace torch networks to ONNX graphs in which every tensor of the network is found again."""

import io
import warnings
from collections.abc import Iterable, Mapping

import numpy as np
import onnx
import onnxslim
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from matte.conversion.folding import fits_half
from matte.errors import WeightsError

ONNX_OPSET = 18
FREE_AXES = {0: "batch", 2: "height", 3: "width"}
HALF_SUFFIX, TRANSPOSED_SUFFIX = (
    ".float16",
    ".transposed",
)  # what the names of tensors stored so end in
NORM_COUNTER = "num_batches_tracked"  # of norms in training; nothing depends on them
# What the exporter says about itself, and about networks that ask for sizes while they are traced.
IGNORED_WARNINGS = (
    "You are using the legacy TorchScript-based",
    "The feature will be removed",
    "Converting a tensor to a Python",
    "Constant folding",
)


def trace_network(
    network: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str]
) -> onnx.ModelProto:
    """Return a network's ONNX graph, for any batch, height and width that the network takes.

    `inputs` are examples in the order of `forward`'s arguments, whose names become the graph's:
    maps (N, C, H, W) or one number for each item, (N,). What the tracer freezes at their size is
    for the caller to find out, by other sizes.
    """
    slimmed = onnxslim.slim(traced_graph(network, inputs, outputs))
    assert isinstance(slimmed, onnx.ModelProto)
    _name_tensors(slimmed, network.state_dict())
    return slimmed


def traced_graph(
    network: nn.Module, inputs: Mapping[str, Tensor], outputs: list[str]
) -> onnx.ModelProto:
    """Return what `trace_network` begins with: the graph as torch writes it, in every detail."""
    axes = {
        name: {axis: size for axis, size in FREE_AXES.items() if axis < example.ndim}
        for name, example in inputs.items()
    }
    stream = io.BytesIO()
    with warnings.catch_warnings():
        for message in IGNORED_WARNINGS:
            warnings.filterwarnings("ignore", message)
        try:
            # torch.export's graphs are the same, but take it half a minute to minutes.
            torch.onnx.export(
                network,
                tuple(inputs.values()),
                stream,  # type: ignore[arg-type]  # the tracing exporter writes to streams too
                input_names=list(inputs),
                output_names=outputs,
                opset_version=ONNX_OPSET,
                dynamic_axes={**axes, **dict.fromkeys(outputs, FREE_AXES)},
                dynamo=False,
            )
        except RuntimeError as error:  # the exporter's errors are of this class
            raise WeightsError(
                f"this network can't be exported ({str(error).strip().partition('.')[0]})",
                "choose another architecture",
            ) from error
    return onnx.load_from_string(stream.getvalue())


def store_half_weights(model: onnx.ModelProto, names: Iterable[str]) -> None:
    """Store the tensors of those names as float16, in the graph each followed by a Cast.

    Those beyond its range stay as they are.
    """
    weights = {name + form for name in names for form in ("", TRANSPOSED_SUFFIX)}
    casts = []
    for tensor in _all_tensors(model):
        name = tensor.name
        if name in weights and len(tensor.dims) > 1:
            values = numpy_helper.to_array(tensor)
            if not fits_half(float(np.abs(values).max())):
                continue
            half = values.astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, name + HALF_SUFFIX))
            if tensor in model.graph.initializer:
                casts.append(
                    helper.make_node("Cast", [name + HALF_SUFFIX], [name], to=TensorProto.FLOAT)
                )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def store_exact_halves(model: onnx.ModelProto) -> None:
    """Store the float32 tensors that lose nothing by it as float16, each followed by a Cast."""
    exact = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor)
            with np.errstate(over="ignore"):  # what overflows differs
                if np.array_equal(values.astype(np.float16), values):
                    exact.append(tensor.name)
    store_half_weights(model, exact)


def shorten_names(model: onnx.ModelProto) -> None:
    """Give what lies between a model's inputs and outputs short names, in place.

    Nodes lose theirs, and the shapes that the tracer noted go: every runtime finds both by itself.
    Tensors keep their names in torch.
    """
    graph = model.graph
    kept = {v.name for v in (*graph.input, *graph.output)} | {t.name for t in graph.initializer}
    kept |= {""} | {tensor.name.removesuffix(HALF_SUFFIX) for tensor in graph.initializer}
    short: dict[str, str] = {}
    for node in graph.node:
        for name in node.output:
            if name not in kept:
                short[name] = f"{len(short):x}"
        node.ClearField("name")
        node.ClearField("doc_string")
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short.get(name, name) for name in node.output]
    del graph.value_info[:]


def stored_tensors(model: onnx.ModelProto) -> dict[str, NDArray[np.float32]]:
    """Return a model's tensors as float32, by their names in torch; others by those in the file."""
    found: dict[str, NDArray[np.float32]] = {}
    for tensor in _all_tensors(model):
        name = tensor.name.removesuffix(HALF_SUFFIX)
        values = numpy_helper.to_array(tensor).astype(np.float32)
        found[name.removesuffix(TRANSPOSED_SUFFIX)] = (
            values.T if name.endswith(TRANSPOSED_SUFFIX) else values
        )
    for node in model.graph.node:  # a norm that other exporters folded left a bias of any name
        if node.op_type in ("Conv", "ConvTranspose") and len(node.input) > 2:
            bias = found.get(node.input[2])
            if bias is not None:
                found[node.input[1].removesuffix("weight") + "bias"] = bias
    return found


def _all_tensors(model: onnx.ModelProto) -> list[TensorProto]:
    """Return the tensors of a model's graph, and those that only training needs."""
    beside = [tensor for info in model.training_info for tensor in info.algorithm.initializer]
    return [*model.graph.initializer, *beside]


def _name_tensors(model: onnx.ModelProto, state: Mapping[str, Tensor]) -> None:
    """Rename the model's tensors, found by their values in `state`, to torch's names, in place.

    Linear layers' weights lie in the graph transposed. Tensors that the graph has no use for lie
    beside it as information for training, which no runtime reads: heads that only losses look at,
    and tensors whose values another one has too.
    """
    graph = model.graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    names: dict[str, str] = {}
    beside = []
    for name, tensor in state.items():
        values = tensor.numpy()
        if name.endswith(NORM_COUNTER) or np.array_equal(tensors.get(name, ()), values):
            continue
        turned = [n for n, v in tensors.items() if v.ndim == 2 and np.array_equal(v, values.T)]
        if turned:
            names[turned[0]] = name + TRANSPOSED_SUFFIX
        else:
            beside.append(numpy_helper.from_array(values, name))
    for part in graph.initializer:
        part.name = names.get(part.name, part.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    if beside:
        training = model.training_info.add()
        training.algorithm.CopyFrom(helper.make_graph([], "training", [], [], beside))
