"""Networks in half precision, on a real picture: what they cost, and what stays exact."""

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import matte
from matte.arrays import SUBJECT, UNKNOWN, Trimap
from matte.imaging.resizing import resize
from matte.media.pictures import read_image
from matte.runtime.mixed_precision import to_precision
from matte.weights.store import all_weights
from tests.conftest import SAMPLE
from tests.runtime.rounding import rounding
from tests.tolerances import BF16_TYPED, FP16_TYPED, FP16_TYPED_MEAN

Arrays = Mapping[str, NDArray[np.float32]]
SIZE = (384, 320)


@pytest.fixture(scope="module")
def trimap() -> Trimap:
    """Of the portrait, as the pipeline draws it."""
    drawn = matte.load(backend="onnx", precision="fp32")(SAMPLE).trimap
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("name", ["person", "gca-slim", "gca-slim-plain", "modnet"])
def test_halves_change_little_on_a_portrait(name: str, trimap: Trimap) -> None:
    model = onnx.load(all_weights()[name].path)
    given = portrait(model, trimap, *SIZE)
    expected = run(to_precision(model, "fp32"), given)
    half = to_precision(model, "fp16")
    for found in (run(half, given), run(rounding(half, TensorProto.FLOAT16), given)):
        apart = np.abs(found - expected)
        assert apart.max() < FP16_TYPED
        assert apart.mean() < FP16_TYPED_MEAN
    assert apart.max() > 0, "nothing was rounded"
    brief = rounding(to_precision(model, "bf16"), TensorProto.BFLOAT16)
    assert np.abs(run(brief, given) - expected).max() < BF16_TYPED


def test_weights_lie_in_the_file_as_halves_but_for_the_encoders() -> None:
    model = to_precision(onnx.load(all_weights()["gca-slim"].path), "fp16")
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    for name, kind in kinds.items():
        if name.startswith("decoder.") and name.endswith("weight"):
            raise AssertionError(name)
        if name.startswith("encoder.stages.1") and name.endswith("weight"):
            assert kind == TensorProto.FLOAT
    assert kinds["decoder.0.0.0.weight.float16"] == TensorProto.FLOAT16


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_logits_and_softmax_stay_exact(precision: str) -> None:
    model = to_precision(onnx.load(all_weights()["gca-slim"].path), precision)
    kinds = float_kinds(model)
    producers = {output: node for node in model.graph.node for output in node.output}
    softmaxes = [node for node in model.graph.node if node.op_type == "Softmax"]
    assert softmaxes
    for node in softmaxes:
        assert kinds[node.output[0]] == TensorProto.FLOAT
        while node.op_type != "MatMul":
            assert kinds[node.input[0]] == TensorProto.FLOAT
            node = producers[node.input[0]]
        assert {kinds[name] for name in node.input} == {TensorProto.FLOAT}


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_means_and_variances_of_modnets_norms_stay_exact(precision: str) -> None:
    model = to_precision(onnx.load(all_weights()["modnet"].path), precision)
    kinds = float_kinds(model)
    norms = [node for node in model.graph.node if node.op_type in ("ReduceMean", "Sqrt", "Div")]
    assert len(norms) > 40
    for node in norms:
        assert {kinds[name] for name in (node.input[0], *node.output)} == {TensorProto.FLOAT}


def test_fp32_is_the_very_network() -> None:
    model = onnx.load(all_weights()["gca-slim"].path)
    given = noise(model)
    assert np.array_equal(run(to_precision(model, "fp32"), given), run(model, given))
    stored = {tensor.data_type for tensor in to_precision(model, "fp32").graph.initializer}
    assert TensorProto.FLOAT16 not in stored


def test_a_constant_that_a_half_cant_hold_keeps_its_node_exact() -> None:
    def kind(epsilon: float) -> int:
        nodes = [
            helper.make_node("Conv", ["x", "w"], ["a"]),
            helper.make_node("Add", ["a", "e"], ["b"]),
            helper.make_node("Conv", ["b", "w"], ["y"]),
        ]
        shape: list[str | int | None] = [1, 1, "h", "w"]
        weights = [
            numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "w"),
            numpy_helper.from_array(np.array(epsilon, np.float32), "e"),
        ]
        ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
        graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
        opset = [helper.make_opsetid("", 18)]
        model = to_precision(helper.make_model(graph, opset_imports=opset, ir_version=10), "fp16")
        onnx.checker.check_model(model, full_check=True)
        return float_kinds(model)["b"]

    assert kind(0.5) == TensorProto.FLOAT16
    assert kind(1e-8) == TensorProto.FLOAT
    assert kind(1e6) == TensorProto.FLOAT


def float_kinds(model: onnx.ModelProto) -> dict[str, int]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in (*graph.value_info, *graph.output)}
    kinds |= {value.name: value.type.tensor_type.elem_type for value in graph.input}
    return kinds | {tensor.name: tensor.data_type for tensor in graph.initializer}


def run(model: onnx.ModelProto, given: Arrays) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    (values,) = session.run(None, dict(given))
    return np.asarray(values, np.float32)


def portrait(model: onnx.ModelProto, trimap: Trimap, height: int, width: int) -> Arrays:
    picture = resize(read_image(SAMPLE, 10**9), height, width).astype(np.float32) / 255
    level = resize(trimap, height, width)
    known = np.select([level > UNKNOWN + 64, level < UNKNOWN - 64], [1, 0], 0.5)
    blob = picture.transpose(2, 0, 1)[None]
    values = {
        "image": blob,
        "input": 2 * blob - 1,
        "trimap": known[None, None],
        "unknown_ratio": np.full(1, -1),
    }
    assert trimap.max() == SUBJECT
    names = [value.name for value in model.graph.input]
    return {name: np.ascontiguousarray(values[name], np.float32) for name in names}


def noise(model: onnx.ModelProto) -> Arrays:
    random = np.random.default_rng(3)
    image = random.random((2, 3, 64, 96), np.float32)
    trimap = np.floor(random.random((2, 1, 64, 96)) * 2.98) / 2
    ratio = np.array([-1, 0.3])
    names = [value.name for value in model.graph.input]
    values = {"image": image, "trimap": trimap, "unknown_ratio": ratio}
    return {name: np.asarray(values[name], np.float32) for name in names}
