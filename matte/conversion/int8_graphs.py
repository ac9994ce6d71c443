"""Prepare ONNX graphs for quantisation to int8, and the results for OpenVINO."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, numpy_helper

from matte.runtime.mixed_precision import fold_casts

# What stays in float32: sums over many values, what divides, the attention's products. Of joined
# values the parts are quantised by whoever takes them: OpenVINO is wrong about quantised Concats
# of any size (decision 0016).
FLOAT32_OPERATORS = (
    "Concat",
    "Div",
    "Einsum",
    "Expand",
    "MatMul",
    "Mul",
    "Pow",
    "ReduceL2",
    "ReduceMean",
    "ReduceSum",
    "Softmax",
    "Sqrt",
    "Sub",
)
FLOAT32_DEPTHWISE_COUNT = (
    4  # as many of the first depthwise convolutions stay in float32 (decision 0016)
)


def prepare_for_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with float32 weights and named nodes, without what only training needs."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    fold_casts(model.graph)
    del model.training_info[:]
    return model


def float32_convolutions(model: onnx.ModelProto) -> list[str]:
    """Return the names of the convolutions that stay in float32."""
    return sorted({*_first_depthwise_convolutions(model), *_convolutions_after_expand(model)})


def adapt_for_openvino(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the quantised model, with equal results, in a form that OpenVINO computes rightly."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = _producers(model)
    shifted = set()
    for node in model.graph.node:
        # Joined values of −128 … 127 are taken for 0 … 255.
        if node.op_type == "QuantizeLinear" and node.input[2] not in shifted:
            zero = tensors[node.input[2]]
            if zero.data_type == TensorProto.INT8:
                values = (numpy_helper.to_array(zero).astype(np.int16) + 128).astype(np.uint8)
                zero.CopyFrom(numpy_helper.from_array(values, zero.name))
            shifted.add(node.input[2])
        # A shape needs no dequantised values.
        if node.op_type == "Shape":
            dequantise = makers.get(node.input[0])
            if dequantise is not None and dequantise.op_type == "DequantizeLinear":
                node.input[0] = makers[dequantise.input[0]].input[0]
    del model.graph.value_info[:]  # it lists the types from before
    return model


def _first_depthwise_convolutions(model: onnx.ModelProto) -> list[str]:
    """Return the names of the first few depthwise convolutions.

    Their channels' ranges differ so much that one scale for all of them loses the small ones.
    """
    shapes: dict[str, Sequence[int]] = {t.name: t.dims for t in model.graph.initializer}
    found = [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and shapes.get(node.input[1], (0, 0))[1] == 1
    ]
    return found[:FLOAT32_DEPTHWISE_COUNT]


def _convolutions_after_expand(model: onnx.ModelProto) -> list[str]:
    """Return the names of convolutions whose joined inputs include an Expand.

    OpenVINO would expand it wrongly where sizes are free.
    """
    makers = _producers(model)

    def made_by(name: str, kind: str) -> NodeProto | None:
        node = makers.get(name)
        return node if node is not None and node.op_type == kind else None

    found = []
    for node in model.graph.node:
        joined = made_by(node.input[0], "Concat") if node.op_type == "Conv" else None
        if joined is not None and any(made_by(name, "Expand") for name in joined.input):
            found.append(node.name)
    return found


def _producers(model: onnx.ModelProto) -> dict[str, NodeProto]:
    """Return the node that produces each value, by the value's name."""
    return {output: node for node in model.graph.node for output in node.output}
