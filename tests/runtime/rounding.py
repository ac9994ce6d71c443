"""Typed networks as float32 ones that round where a half would be stored.

ONNX Runtime's CPU kernels for halves are mostly its float32 ones, between which it takes the
roundings out again: what it gives for a typed network flatters. Here each half is rounded by
arithmetic, which nothing removes (T. J. Dekker, "A floating-point technique for extending the
available precision", 1971): to float16's or bfloat16's digits, of any range.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DIGITS_LESS: dict[int, int] = {
    TensorProto.FLOAT16: 13,
    TensorProto.BFLOAT16: 16,
}  # than float32 has
MOVING = {"Concat", "DepthToSpace", "Gather", "Pad", "Relu", "Reshape", "Slice", "Transpose"}


def rounding(model: onnx.ModelProto, half: int) -> onnx.ModelProto:
    """The typed network in float32; each value that was a half has no more digits than it had."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    halves = set()
    for tensor in graph.initializer:
        if tensor.data_type == half:
            halves.add(tensor.name)
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    factor = np.array(2 ** DIGITS_LESS[half] + 1, np.float32)
    graph.initializer.append(numpy_helper.from_array(factor, "factor"))
    nodes: list[onnx.NodeProto] = []
    for node in list(graph.node):
        (output, *_) = node.output
        given = halves.intersection(node.input)
        if node.op_type == "Cast" and node.attribute[0].i == half:
            nodes.extend(_rounded(node.input[0], output))
            halves.add(output)
        elif node.op_type == "Cast" and given:
            nodes.append(helper.make_node("Identity", [node.input[0]], [output]))
        elif not given or node.op_type == "Shape":
            nodes.append(node)
        else:
            halves.add(output)
            if node.op_type not in MOVING:
                node.output[0] = f"{output}.exact"
                nodes.extend([node, *_rounded(node.output[0], output)])
            else:
                nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return result


def _rounded(name: str, output: str) -> list[onnx.NodeProto]:
    large, rest = f"{output}.large", f"{output}.rest"
    return [
        helper.make_node("Mul", [name, "factor"], [large]),
        helper.make_node("Sub", [large, name], [rest]),
        helper.make_node("Sub", [large, rest], [output]),
    ]
