"""Every operator of the shipped networks against what TensorRT's parser says that it supports."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper, shape_inference

from matte.runtime.mixed_precision import FIRST_INPUT_OPERATORS as TYPED_FIRST_ONLY
from matte.runtime.mixed_precision import to_precision
from matte.weights.store import SHIPPED_FOLDER, all_weights

TABLE = json.loads(Path(__file__).with_name("tensorrt-operators.json").read_text())
TYPES: dict[int, str] = {
    TensorProto.FLOAT: "FP32",
    TensorProto.FLOAT16: "FP16",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.BOOL: "BOOL",
}
SHIPPED_NAMES = sorted(name for name, w in all_weights().items() if w.folder == SHIPPED_FOLDER)
# Operators whose outputs have shapes that depend on values. Engines can't plan for those.
DATA_DEPENDENT = {"NonZero", "Compress", "Unique", "NonMaxSuppression", "If", "Loop", "Scan"}
FIRST_ONLY = TYPED_FIRST_ONLY | {"Pad", "Unsqueeze"}  # whose other inputs are no data
COORDINATES = {"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"}
NEAREST = {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}


@pytest.fixture(scope="module", params=SHIPPED_NAMES)
def network(request: pytest.FixtureRequest) -> onnx.ModelProto:
    return onnx.load(all_weights()[request.param].path)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_every_operator_and_type_is_supported(network: onnx.ModelProto, precision: str) -> None:
    model = to_precision(network, precision)
    (opset,) = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")]
    least, most = TABLE["opsets"]
    assert least <= opset <= most
    kinds = kinds_of(model)
    for node in model.graph.node:
        assert node.domain in ("", "ai.onnx")
        assert node.op_type in TABLE["operators"], f"{node.op_type} is not in the table"
        results = node.output if node.op_type == "Cast" else ()
        for name in (*calculated_with(node), *results):
            kind = TYPES[kinds[name]]
            assert kind in TABLE["operators"][node.op_type], f"{node.op_type} of {kind}: {name}"


def test_nothing_restricted_is_used(network: onnx.ModelProto) -> None:
    model = to_precision(network, "fp32")
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        told = attributes(node)
        assert node.op_type not in DATA_DEPENDENT
        if node.op_type in ("Conv", "ConvTranspose"):  # no weights from the picture
            assert node.input[1] in stored
        if node.op_type.startswith("Reduce") and len(node.input) > 1:
            assert node.input[1] in stored
        if node.op_type in ("Squeeze", "Unsqueeze"):
            assert node.input[1] in stored
        if node.op_type == "Resize":
            assert told.get("coordinate_transformation_mode", "half_pixel") in COORDINATES
            assert told.get("mode", "nearest") in ("nearest", "linear")
            assert told.get("nearest_mode", "round_prefer_floor") in NEAREST
            assert not told.get("antialias", 0)
            assert "axes" not in told
        if node.op_type == "MaxPool":
            assert len(node.output) == 1
        if node.op_type in ("MaxPool", "AveragePool"):
            assert set(told.get("dilations", [1])) == {1}
        if node.op_type == "ScatterElements":
            assert told.get("reduction", "none") == "none"


def test_the_table_would_miss_something() -> None:
    assert "NonZero" not in TABLE["operators"]
    assert "INT64" not in TABLE["operators"]["Conv"]


def test_weights_are_there_once_and_in_their_numbers(network: onnx.ModelProto) -> None:
    for precision, half in (("fp16", TensorProto.FLOAT16), ("bf16", TensorProto.BFLOAT16)):
        model = to_precision(network, precision)
        onnx.checker.check_model(model, full_check=True)
        kinds = kinds_of(model)
        convolutions = [n for n in model.graph.node if n.op_type == "Conv"]
        assert {kinds[n.input[1]] for n in convolutions} == {half, TensorProto.FLOAT}
        for node in convolutions:
            assert len({kinds[name] for name in (*node.input, *node.output)}) == 1
        stored = {tensor.name for tensor in model.graph.initializer}
        assert not any(n.op_type == "Cast" and n.input[0] in stored for n in model.graph.node)
        for value in (*model.graph.input, *model.graph.output):
            assert value.type.tensor_type.elem_type == TensorProto.FLOAT


def kinds_of(model: onnx.ModelProto) -> Mapping[str, int]:
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    named = (*graph.value_info, *graph.input, *graph.output)
    kinds = {value.name: value.type.tensor_type.elem_type for value in named}
    return kinds | {tensor.name: tensor.data_type for tensor in graph.initializer}


def calculated_with(node: onnx.NodeProto) -> Iterator[str]:
    """The inputs that are data, and not a shape, an axis or a condition."""
    for at, name in enumerate(node.input):
        first_only = node.op_type in FIRST_ONLY or node.op_type.startswith("Reduce")
        condition = node.op_type == "Where" and at == 0
        indices = node.op_type == "ScatterElements" and at == 1
        if name and not condition and not indices and (at == 0 or not first_only):
            yield name


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    found = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}
