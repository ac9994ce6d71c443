"""ONNX networks in mixed precision: float16 or bfloat16 wherever that is accurate enough.

Such a graph says for every value in which type it is calculated, as strongly typed runtimes want
it. Inputs and outputs stay float32.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

HALF_TYPES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
MIN_OPSETS = {"bf16": 22}  # the first in which convolutions are defined for it
# Layers with weights: in half, but for those of encoders with a convolution for each channel, like
# MobileNet's. Their values span so far that a half's rounding shows in alpha (docs/tensorrt.md).
WEIGHTED_OPERATORS = {"Conv", "ConvTranspose", "Gemm"}
# These are in half if all their inputs are: one exact input makes the result worth keeping exact.
# Norms of a picture (MODNet's) and an attention's logits stay exact by that, from the mean or the
# length on that they begin with.
ARITHMETIC_OPERATORS = {
    "Add", "AveragePool", "BatchNormalization", "Clip", "Div", "GlobalAveragePool", "HardSigmoid",
    "HardSwish", "LeakyRelu", "MatMul", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Relu",
    "Sub", "Where",
}  # fmt: skip
# These only move values: in half as soon as any input is, which halves what is moved.
MOVING_OPERATORS = {
    "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Resize",
    "ScatterElements", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose",
    "Unsqueeze",
}  # fmt: skip
# Of these only the first input is calculated with.
FIRST_INPUT_OPERATORS = {
    "Expand",
    "Gather",
    "Reshape",
    "Resize",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
}
MIN_HALF_VALUE, MAX_HALF_VALUE = 6.2e-5, 6e4  # that float16 holds with all its digits


def to_precision(model: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    """Return a copy of a network in fp32, fp16 or bf16; casts of stored weights are folded.

    What a half would spoil stays float32: an attention's logits and softmax, means, variances,
    lengths, sigmoids, and whatever is calculated with those before the next layer of weights.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    fold_casts(result.graph)
    if precision in HALF_TYPES:
        if precision in MIN_OPSETS:
            result = onnx.version_converter.convert_version(result, MIN_OPSETS[precision])
        _PrecisionAssigner(result, HALF_TYPES[precision]).apply()
    del result.graph.value_info[:]
    return result


def fold_casts(graph: onnx.GraphProto) -> None:
    """Replace casts of stored values by the values that they give, in place."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    remaining = []
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            values = numpy_helper.to_array(stored[node.input[0]])
            kind = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            graph.initializer.append(numpy_helper.from_array(values.astype(kind), node.output[0]))
        else:
            remaining.append(node)
    del graph.node[:]
    graph.node.extend(remaining)
    _drop_unused_tensors(graph)


def _drop_unused_tensors(graph: onnx.GraphProto) -> None:
    """Remove stored tensors that no node and no output of the graph uses."""
    used = {name for node in graph.node for name in node.input}
    used |= {value.name for value in graph.output}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(tensors)


class _PrecisionAssigner:
    """Assigns a type to each node of a float32 graph, and adds casts where types change."""

    def __init__(self, model: onnx.ModelProto, half: int) -> None:
        self._graph, self._half = model.graph, half
        inferred = shape_inference.infer_shapes(model).graph
        named = (*inferred.value_info, *inferred.input, *inferred.output)
        self._kinds: dict[str, int] = {v.name: v.type.tensor_type.elem_type for v in named}
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._exact = _outputs_before_softmax(model.graph.node) | _outputs_before_depthwise(
            model.graph.node
        )
        self._assigned = dict(self._kinds)  # the types that values have so far
        self._cast: dict[tuple[str, int], str] = {}

    def apply(self) -> None:
        """Assign types to the graph's values, in place."""
        outputs = {value.name for value in self._graph.output}
        nodes: list[onnx.NodeProto] = []
        for node in list(self._graph.node):
            kind = self._half if self._in_half(node) else TensorProto.FLOAT
            for at in self._float_inputs(node):
                nodes.extend(self._cast_input(node, at, kind))
            nodes.append(node)
            for at, name in enumerate(node.output):
                if self._kinds.get(name) != TensorProto.FLOAT:
                    continue
                self._assigned[name] = kind
                if name in outputs and kind == self._half:
                    node.output[at] = f"{name}.half"
                    self._assigned[node.output[at]] = kind
                    self._assigned[name] = TensorProto.FLOAT
                    nodes.append(_cast_node(node.output[at], name, TensorProto.FLOAT))
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        _drop_unused_tensors(self._graph)

    def _float_inputs(self, node: onnx.NodeProto) -> list[int]:
        """Return the indices of the inputs that are floats and follow the node's type."""
        if node.op_type in ("Cast", "Shape", "Size"):
            return []
        many = node.input[:1] if node.op_type in FIRST_INPUT_OPERATORS else node.input
        return [at for at, name in enumerate(many) if self._is_float(name)]

    def _is_float(self, name: str) -> bool:
        """Return whether a value of the original graph is float32."""
        stored = self._stored.get(name)
        kind: int | None = stored.data_type if stored is not None else self._kinds.get(name)
        return kind == TensorProto.FLOAT

    def _in_half(self, node: onnx.NodeProto) -> bool:
        """Return whether a node is calculated in half."""
        if node.output[0] in self._exact or self._has_tiny_constant(node):
            return False
        names = [node.input[at] for at in self._float_inputs(node)]
        halves: list[bool] = [
            self._assigned[name] == self._half for name in names if name not in self._stored
        ]
        if node.op_type in WEIGHTED_OPERATORS:
            return True
        if node.op_type in ARITHMETIC_OPERATORS:
            return bool(halves) and all(halves)
        return bool(node.op_type in MOVING_OPERATORS and any(halves))

    def _has_tiny_constant(self, node: onnx.NodeProto) -> bool:
        """Return whether one of a node's constants is a number that no half holds, such as 1e-8."""
        if node.op_type in WEIGHTED_OPERATORS:
            return False
        for at in self._float_inputs(node):
            tensor = self._stored.get(node.input[at])
            if tensor is not None and int(np.prod(tensor.dims)) == 1:
                value = abs(float(numpy_helper.to_array(tensor).reshape(())))
                if value and not MIN_HALF_VALUE <= value <= MAX_HALF_VALUE:
                    return True
        return False

    def _cast_input(self, node: onnx.NodeProto, at: int, kind: int) -> Iterator[onnx.NodeProto]:
        """Give a node its input in that type; yield the cast node, if there is none yet."""
        name = node.input[at]
        current = TensorProto.FLOAT if name in self._stored else self._assigned[name]
        if current == kind:
            return
        if (name, kind) not in self._cast:
            other = f"{name}.{TensorProto.DataType.Name(kind).lower()}"
            self._cast[name, kind] = other
            if name in self._stored:
                values = numpy_helper.to_array(self._stored[name])
                numbers = values.astype(helper.tensor_dtype_to_np_dtype(kind))
                self._graph.initializer.append(numpy_helper.from_array(numbers, other))
            else:
                yield _cast_node(name, other, kind)
        node.input[at] = self._cast[name, kind]


def _cast_node(source: str, target: str, kind: int) -> onnx.NodeProto:
    """Return a node that casts the value named `source` to a type, under the name `target`."""
    return helper.make_node("Cast", [source], [target], name=f"cast {target}", to=kind)


def _outputs_before_depthwise(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Return the outputs of depthwise convolutions, and of all nodes before them."""
    producers = {output: node for node in nodes for output in node.output}
    found: set[str] = set()
    pending = [node for node in producers.values() if _group_count(node) > 1]
    while pending:
        node = pending.pop()
        if node.output[0] not in found:
            found.add(node.output[0])
            pending.extend(producers[name] for name in node.input if name in producers)
    return found


def _group_count(node: onnx.NodeProto) -> int:
    """Return a convolution's groups; 1 for any other node."""
    if node.op_type != "Conv":
        return 1
    return next((a.i for a in node.attribute if a.name == "group"), 1)


def _outputs_before_softmax(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Return the outputs that lead to a softmax, from the last product of matrices on."""
    producers = {output: node for node in nodes for output in node.output}
    found: set[str] = set()
    pending = [node for node in producers.values() if node.op_type in ("Softmax", "LogSoftmax")]
    while pending:
        source = producers.get(pending.pop().input[0])
        if source is not None and source.output[0] not in found:
            found.add(source.output[0])
            if source.op_type not in ("MatMul", "Gemm", "Einsum"):
                pending.append(source)
    return found
