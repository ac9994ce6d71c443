"""Multiplications, against sums that were done by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from matte.errors import WeightsError
from matte.runtime import mac_count
from matte.runtime.mac_count import count_macs


def network(
    path: Path, nodes: list[onnx.NodeProto], **weights: tuple[int, ...]
) -> tuple[Path, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    """Writes a network from `image` to `out`, with weights of these shapes; and its input."""
    tensors = [
        numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in weights.items()
    ]
    graph = helper.make_graph(
        nodes,
        "counted",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 4, "h", "w"))],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path, {"image": np.ones((1, 4, 10, 12), np.float32)}


def test_convolutions(tmp_path: Path) -> None:
    """Strided, in groups, transposed: each by hand."""
    path, inputs = network(
        tmp_path / "convolutions.onnx",
        [
            helper.make_node(
                "Conv", ["image", "a", "bias"], ["x"], strides=[2, 2], pads=[1, 1, 1, 1]
            ),
            helper.make_node("Relu", ["x"], ["y"]),
            helper.make_node("Conv", ["y", "b"], ["z"], group=8, pads=[1, 1, 1, 1]),
            helper.make_node("ConvTranspose", ["z", "c"], ["out"], strides=[2, 2]),
        ],
        a=(8, 4, 3, 3),
        bias=(8,),
        b=(8, 1, 3, 3),
        c=(8, 2, 2, 2),
    )
    half = 5 * 6  # pixels after the stride
    strided = half * 8 * (4 * 3 * 3)
    depthwise = half * 8 * (1 * 3 * 3)
    transposed = half * 8 * (2 * 2 * 2)
    assert count_macs(path, inputs) == strided + depthwise + transposed == 12_720


def test_products_of_shapes_that_the_graph_computes(tmp_path: Path) -> None:
    """A map that is made as large again as another, multiplied with itself, and a linear layer."""
    path, inputs = network(
        tmp_path / "products.onnx",
        [
            helper.make_node("MaxPool", ["image"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Shape", ["image"], ["shape"]),
            helper.make_node("Resize", ["small", "", "", "shape"], ["large"]),
            helper.make_node("Transpose", ["large"], ["turned"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["large", "turned"], ["square"]),
            helper.make_node("Flatten", ["square"], ["flat"]),
            helper.make_node("Gemm", ["flat", "matrix"], ["out"], transB=1),
        ],
        matrix=(7, 400),
    )  # fmt: skip
    product = 4 * (10 * 10) * 12
    linear = 400 * 7
    assert count_macs(path, inputs) == product + linear


def test_what_shapes_do_not_tell_is_not_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [helper.make_node("Einsum", ["image"], ["out"], equation="bchw->bhwc")]
    path, inputs = network(tmp_path / "einsum.onnx", nodes)
    assert count_macs(path, inputs) is None
    nodes = [helper.make_node("Relu", ["image"], ["out"])]
    path, inputs = network(tmp_path / "relu.onnx", nodes)
    assert count_macs(path, inputs) == 0
    monkeypatch.setattr(mac_count, "find_spec", lambda _: None)
    assert count_macs(path, inputs) is None


def test_a_network_that_fails_is_one_line(tmp_path: Path) -> None:
    path, inputs = network(
        tmp_path / "wrong.onnx", [helper.make_node("Add", ["image", "a"], ["out"])], a=(3, 5)
    )
    with pytest.raises(WeightsError, match=r"can't load .*wrong\.onnx") as caught:
        count_macs(path, inputs)
    assert "\n" not in str(caught.value)
    assert not list(Path.cwd().glob("profile*"))
