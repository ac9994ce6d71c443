"""Folders with pictures and truths, and networks of a few nodes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from matte.arrays import Mask
from matte.configs.settings import TrimapSettings
from matte.media.encoding import encode_alpha
from matte.trimap.morphology import kernel_band
from tests.conftest import disc, save

SIZES = {"a": (60, 80), "b": (72, 64), "c": (96, 100)}


@pytest.fixture
def mattes(tmp_path: Path) -> Path:
    """input/, gt/ and trimap1/ with three bright discs on dark ground."""
    data = tmp_path / "mattes"
    for folder in ("input", "gt", "trimap1"):
        (data / folder).mkdir(parents=True)
    for name, (height, width) in SIZES.items():
        image, alpha = disc(height, width)
        save(data / f"input/{name}.png", image)
        (data / f"gt/{name}.png").write_bytes(encode_alpha(alpha, ".png"))
        mask = Mask(np.where(alpha > 0.5, 255, 0).astype(np.uint8))
        trimap = kernel_band(mask, TrimapSettings(k=3, iterations=6))
        save(data / f"trimap1/{name}.png", np.where(trimap == 128, 102, trimap).astype(np.uint8))
    return data


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """images/ and masks/: bright squares; b's lower half is not counted."""
    data = tmp_path / "masks"
    for folder in ("images", "masks"):
        (data / folder).mkdir(parents=True)
    for name, (height, width) in SIZES.items():
        mask = np.zeros((height, width), np.uint8)
        mask[16:40, 16:48] = 255
        save(data / f"images/{name}.png", np.repeat(mask[:, :, None], 3, axis=2))
        if name == "b":
            mask[28:] = 128
        save(data / f"masks/{name}.png", mask)
    return data


Write = Callable[..., Path]


@pytest.fixture
def linear_network(tmp_path: Path) -> Write:
    """Writes an ONNX file whose output channels are weighted sums of its input channels."""

    def write(
        name: str,
        weights: list[list[float]],
        bias: list[float],
        shape: tuple[int | str, ...] = (1, 3, "h", "w"),
        sigmoid: bool = False,
    ) -> Path:
        kernel = np.array(weights, np.float32)[:, :, None, None]
        parts = [
            numpy_helper.from_array(kernel, "weights"),
            numpy_helper.from_array(np.array(bias, np.float32), "bias"),
        ]
        nodes = [helper.make_node("Conv", ["image", "weights", "bias"], ["sum"])]
        if sigmoid:
            nodes.append(helper.make_node("Sigmoid", ["sum"], ["found"]))
        output = "found" if sigmoid else "sum"
        out_shape = (shape[0], len(bias), *shape[2:])
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, out_shape)],
            parts,
        )
        opset = [helper.make_opsetid("", 13)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.save(model, tmp_path / f"{name}.onnx")
        return tmp_path / f"{name}.onnx"

    return write


@pytest.fixture
def bright(linear_network: Write) -> Path:
    """A segmenter of matte's kind that takes what is bright for the subject."""
    return linear_network("bright", [[20.0, 20.0, 20.0]], [-35.0], sigmoid=True)
