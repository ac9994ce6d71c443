"""Tiny networks that matte takes: they open in milliseconds."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = list[int | str]


def model(
    nodes: list[Any],
    inputs: dict[str, Shape],
    output: Shape,
    constants: dict[str, Any] | None = None,
    metadata: dict[str, str] | None = None,
    kind: int = TensorProto.FLOAT,
    opset: int = 17,
) -> Any:
    """An ONNX model with one output, "y"."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if metadata:
        helper.set_model_props(made, metadata)
    return made


PICTURE: Shape = [1, 3, "h", "w"]
MAP: Shape = [1, 1, "h", "w"]
WEIGHT = np.full((1, 3, 1, 1), 4, np.float32)


def segmenter(metadata: dict[str, str] | None = None) -> Any:
    """A network that finds what is bright."""
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["y"]),
    ]
    constants = {"weight": WEIGHT, "bias": np.array([-5], np.float32)}
    return model(nodes, {"x": PICTURE}, MAP, constants, metadata)


def refiner() -> Any:
    """A network that gives brightness as alpha."""
    nodes = [
        helper.make_node("Conv", ["image", "weight", "bias"], ["z"]),
        helper.make_node("Conv", ["trimap", "weight", "bias"], ["t"]),
        helper.make_node("Add", ["z", "t"], ["s"]),
        helper.make_node("Sigmoid", ["s"], ["y"]),
    ]
    constants = {"weight": WEIGHT / 10, "bias": np.array([-1], np.float32)}
    return model(nodes, {"image": PICTURE, "trimap": PICTURE}, MAP, constants)


def write_segmenter(path: Path) -> None:
    onnx.save_model(segmenter(), path)
