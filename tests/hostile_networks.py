"""ONNX files that never end, or that want more memory than there is."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PICTURE = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "h", "w"])
MASK = helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, "h", "w"])


def _save(path: Path, nodes: list[onnx.NodeProto], parts: list[onnx.TensorProto]) -> Path:
    graph = helper.make_graph(nodes, "hostile", [PICTURE], [MASK], parts)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def _integers(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def endless_loop(path: Path) -> Path:
    """A loop of 2^62 rounds over the picture's red."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Sin", ["x"], ["y"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("x", TensorProto.FLOAT, None),
        ],
        [value("on", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, None)],
    )
    parts = [
        numpy_helper.from_array(np.array(2**62, np.int64), "rounds"),
        numpy_helper.from_array(np.array(True), "true"),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1]),
        helper.make_node("Loop", ["rounds", "true", "grey"], ["mask"], body=body),
    ]
    return _save(path, nodes, parts)


def huge_expansion(path: Path, values: int = 1 << 34) -> Path:
    """The picture's mean, repeated to so many values, of which one is used."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Expand", ["mean", "many"], ["large"]),
        helper.make_node("Sin", ["large"], ["sine"]),
        helper.make_node("ReduceMax", ["sine"], ["most"], keepdims=0),
        helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1]),
        helper.make_node("Mul", ["grey", "most"], ["mask"]),
    ]
    return _save(path, nodes, [_integers("many", values)])


def nested_ifs(path: Path, depth: int) -> Path:
    """An if in an if in an if."""
    grey = helper.make_node("ReduceMean", ["image"], ["x"], axes=[1])
    out = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    graph = helper.make_graph([grey], "g", [], [out])
    for _ in range(depth):
        flat = helper.make_graph([grey], "g", [], [out])
        branch = helper.make_node("If", ["true"], ["x"], then_branch=graph, else_branch=flat)
        graph = helper.make_graph([branch], "g", [], [out])
    nodes = [*graph.node, helper.make_node("Identity", ["x"], ["mask"])]
    return _save(path, nodes, [numpy_helper.from_array(np.array(True), "true")])
