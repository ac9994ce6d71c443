"""Networks with their numbers written into them: float16 or bfloat16 where it is good enough.

A graph typed like this says for every value how it is calculated, which is how a strongly typed
runtime takes it. Inputs and outputs stay float32.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

HALVES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
OPSETS = {"bf16": 22}  # the first in which convolutions are defined for it
# Layers with weights: in half, but for those of encoders with a convolution for each channel, like
# MobileNet's. Their values span so far that a half's rounding shows in alpha (docs/tensorrt.md).
WEIGHTED = {"Conv", "ConvTranspose", "Gemm"}
# These follow what they are given: in half if all of it is, for one exact value makes the result
# worth keeping exact. Norms of a picture (MODNet's) and an attention's logits stay exact like that,
# from the mean or the length on that they begin with.
CALCULATING = {
    "Add", "AveragePool", "BatchNormalization", "Clip", "Div", "GlobalAveragePool", "HardSigmoid",
    "HardSwish", "LeakyRelu", "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Relu",
    "Sub", "Where",
}  # fmt: skip
# These only move values: in half as soon as any is, for half the way.
MOVING = {
    "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Resize",
    "ScatterElements", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose",
    "Unsqueeze",
}  # fmt: skip
# Of these only the first input is a value that is calculated with.
FIRST_ONLY = {"Expand", "Gather", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Tile"}
SMALLEST, LARGEST = 6.2e-5, 6e4  # of what float16 holds with all its digits


def typed(model: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    """The network in fp32, fp16 or bf16; weights that were stored in half are not cast any more.

    What a half would spoil stays float32: an attention's logits and softmax, means, variances,
    lengths, sigmoids, and whatever is calculated with those before the next layer of weights.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    fold_casts(result.graph)
    if precision in HALVES:
        if precision in OPSETS:
            result = onnx.version_converter.convert_version(result, OPSETS[precision])
        _Typing(result, HALVES[precision]).apply()
    del result.graph.value_info[:]
    return result


def fold_casts(graph: onnx.GraphProto) -> None:
    """Replaces casts of stored values by the values that they give."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            values = numpy_helper.to_array(stored[node.input[0]])
            kind = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            graph.initializer.append(numpy_helper.from_array(values.astype(kind), node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    _drop_unused(graph)


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    used |= {value.name for value in graph.output}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(tensors)


class _Typing:
    """Gives each node of a float32 graph its numbers, and casts where they change."""

    def __init__(self, model: onnx.ModelProto, half: int) -> None:
        self._graph, self._half = model.graph, half
        inferred = shape_inference.infer_shapes(model).graph
        named = (*inferred.value_info, *inferred.input, *inferred.output)
        self._kinds: dict[str, int] = {v.name: v.type.tensor_type.elem_type for v in named}
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._exact = _logits(model.graph.node) | _channelwise(model.graph.node)
        self._now = dict(self._kinds)  # the kinds that values have got
        self._cast: dict[tuple[str, int], str] = {}

    def apply(self) -> None:
        """Types the graph in place."""
        outputs = {value.name for value in self._graph.output}
        nodes: list[onnx.NodeProto] = []
        for node in list(self._graph.node):
            kind = self._half if self._in_half(node) else TensorProto.FLOAT
            for at in self._floats(node):
                nodes.extend(self._take(node, at, kind))
            nodes.append(node)
            for at, name in enumerate(node.output):
                if self._kinds.get(name) != TensorProto.FLOAT:
                    continue
                self._now[name] = kind
                if name in outputs and kind == self._half:
                    node.output[at] = f"{name}.half"
                    self._now[node.output[at]] = kind
                    self._now[name] = TensorProto.FLOAT
                    nodes.append(_cast(node.output[at], name, TensorProto.FLOAT))
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        _drop_unused(self._graph)

    def _floats(self, node: onnx.NodeProto) -> list[int]:
        """Which inputs are floats whose kind is the node's."""
        if node.op_type in ("Cast", "Shape", "Size"):
            return []
        many = node.input[:1] if node.op_type in FIRST_ONLY else node.input
        return [at for at, name in enumerate(many) if self._is_float(name)]

    def _is_float(self, name: str) -> bool:
        stored = self._stored.get(name)
        kind: int | None = stored.data_type if stored is not None else self._kinds.get(name)
        return kind == TensorProto.FLOAT

    def _in_half(self, node: onnx.NodeProto) -> bool:
        if node.output[0] in self._exact or self._too_fine(node):
            return False
        given = [node.input[at] for at in self._floats(node)]
        halves: list[bool] = [
            self._now[name] == self._half for name in given if name not in self._stored
        ]
        if node.op_type in WEIGHTED:
            return True
        if node.op_type in CALCULATING:
            return bool(halves) and all(halves)
        return bool(node.op_type in MOVING and any(halves))

    def _too_fine(self, node: onnx.NodeProto) -> bool:
        """Whether one of its constants is a number that a half can't hold, such as 1e-8."""
        if node.op_type in WEIGHTED:
            return False
        for at in self._floats(node):
            tensor = self._stored.get(node.input[at])
            if tensor is not None and int(np.prod(tensor.dims)) == 1:
                value = abs(float(numpy_helper.to_array(tensor).reshape(())))
                if value and not SMALLEST <= value <= LARGEST:
                    return True
        return False

    def _take(self, node: onnx.NodeProto, at: int, kind: int) -> Iterator[onnx.NodeProto]:
        """Has the node take its input in that kind; gives the cast, if one is missing."""
        name = node.input[at]
        now = TensorProto.FLOAT if name in self._stored else self._now[name]
        if now == kind:
            return
        if (name, kind) not in self._cast:
            other = f"{name}.{TensorProto.DataType.Name(kind).lower()}"
            self._cast[name, kind] = other
            if name in self._stored:
                values = numpy_helper.to_array(self._stored[name])
                numbers = values.astype(helper.tensor_dtype_to_np_dtype(kind))
                self._graph.initializer.append(numpy_helper.from_array(numbers, other))
            else:
                yield _cast(name, other, kind)
        node.input[at] = self._cast[name, kind]


def _cast(name: str, other: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [name], [other], name=f"cast {other}", to=kind)


def _channelwise(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """What convolutions of single channels give, and all that leads to them."""
    producers = {output: node for node in nodes for output in node.output}
    found: set[str] = set()
    waiting = [node for node in producers.values() if _groups(node) > 1]
    while waiting:
        node = waiting.pop()
        if node.output[0] not in found:
            found.add(node.output[0])
            waiting.extend(producers[name] for name in node.input if name in producers)
    return found


def _groups(node: onnx.NodeProto) -> int:
    if node.op_type != "Conv":
        return 1
    return next((a.i for a in node.attribute if a.name == "group"), 1)


def _logits(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """What leads to a softmax, from the product of matrices on."""
    producers = {output: node for node in nodes for output in node.output}
    found: set[str] = set()
    waiting = [node for node in producers.values() if node.op_type in ("Softmax", "LogSoftmax")]
    while waiting:
        source = producers.get(waiting.pop().input[0])
        if source is not None and source.output[0] not in found:
            found.add(source.output[0])
            if source.op_type not in ("MatMul", "Gemm", "Einsum"):
                waiting.append(source)
    return found
