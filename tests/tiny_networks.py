"""Networks of other people's forms, with random weights: their inputs, outputs and strides."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = tuple[int | str | None, ...]
FREE = ("batch", 3, "height", "width")


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    parts: list[onnx.TensorProto],
    inputs: dict[str, Shape],
    outputs: dict[str, Shape],
) -> Path:
    takes, gives = (
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in each.items()]
        for each in (inputs, outputs)
    )
    graph = helper.make_graph(nodes, path.stem, takes, gives, parts)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def random_weights(channels: int, seed: int = 0) -> tuple[np.ndarray, float]:
    """The weights and the bias of a network that looks at each pixel by itself."""
    numbers = np.random.default_rng(seed)
    return numbers.normal(size=channels).astype(np.float32), float(numbers.normal())


def pointwise(
    path: Path,
    shape: Shape = FREE,
    names: tuple[str, str] = ("input_image", "output_image"),
    maps: int = 1,
    probability: bool = False,
    bias: float | None = None,
) -> Path:
    """A network whose maps are the same weighted sum of each pixel's channels; BiRefNet's form."""
    channels = shape[1] if isinstance(shape[1], int) else 4
    weights, random_bias = random_weights(channels)
    parts = [
        numpy_helper.from_array(weights.reshape(1, channels, 1, 1), "weights"),
        numpy_helper.from_array(
            np.array([random_bias if bias is None else bias], np.float32), "bias"
        ),
    ]
    outputs = [names[1], *(f"{names[1]}{number}" for number in range(1, maps))]
    nodes = [helper.make_node("Conv", [names[0], "weights", "bias"], ["sum"])]
    last = "Sigmoid" if probability else "Identity"
    nodes += [helper.make_node(last, ["sum"], [output]) for output in outputs]
    made: Shape = (shape[0], 1, *shape[2:])
    return _save(path, nodes, parts, {names[0]: shape}, dict.fromkeys(outputs, made))


def patches(path: Path, stride: int = 32) -> Path:
    """A network of four channels in patches, which takes multiples of them only; ViTMatte's form.

    Each patch gets one alpha; the trimap's, which is last, counts most.
    """
    numbers = np.random.default_rng(0)
    kernel = numbers.normal(0, 0.02, (1, 4, stride, stride)).astype(np.float32) / stride
    kernel[0, 3] = 4 / stride**2
    parts = [
        numpy_helper.from_array(kernel, "patch"),
        numpy_helper.from_array(np.array([-2], np.float32), "bias"),
        numpy_helper.from_array(np.ones((1, 1, stride, stride), np.float32), "spread"),
    ]
    nodes = [
        helper.make_node("Conv", ["pixel_values", "patch", "bias"], ["s"], strides=[stride] * 2),
        helper.make_node("Sigmoid", ["s"], ["small"]),
        helper.make_node("ConvTranspose", ["small", "spread"], ["alphas"], strides=[stride] * 2),
    ]
    shape = ("batch", "channels", "height", "width")
    return _save(path, nodes, parts, {"pixel_values": shape}, {"alphas": (None, 1, None, None)})


def two_inputs(path: Path, names: Sequence[str] = ("image", "trimap")) -> Path:
    """A network that takes a picture and a trimap apart, and gives the trimap back."""
    shapes: dict[str, Shape] = dict(zip(names, (FREE, (1, 1, "h", "w")), strict=True))
    nodes = [helper.make_node("Identity", [names[1]], ["alpha"])]
    return _save(path, nodes, [], shapes, {"alpha": (1, 1, "h", "w")})


def half_inside(path: Path) -> Path:
    """A network that calculates in fp16 between an input and an output of fp32."""
    parts = [numpy_helper.from_array(np.full((1, 3, 1, 1), 0.25, np.float16), "weights")]
    nodes = [
        helper.make_node("Cast", ["input"], ["input_in_half"], to=TensorProto.FLOAT16),
        helper.make_node("Conv", ["input_in_half", "weights"], ["half"]),
        helper.make_node("Cast", ["half"], ["output"], to=TensorProto.FLOAT),
    ]
    return _save(path, nodes, parts, {"input": (1, 3, 8, 8)}, {"output": (1, 1, 8, 8)})
