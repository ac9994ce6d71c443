from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch

import matte.conversion.onnx_writer
from matte.conversion.parity import ParityReport
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import WeightsError
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint
from tests.conversion.exports import NetworkExports

PARAMETERS = 998_609  # of the network


@pytest.fixture(scope="module")
def exported(exports: NetworkExports) -> ParityReport:
    return exports.segmenter("deeplab-unet-light").report


def test_the_report_holds_at_every_size(exported: ParityReport) -> None:
    assert {(d.height, d.width) for d in exported.differences} >= {(320, 192), (64, 320)}
    for d in exported.differences:
        assert 0 <= d.mean <= d.largest < 1e-5
        assert 0 < d.rounding < 1e-2
    assert "net.onnx (segmenter, deeplab-unet-light): at most " in str(exported)


def test_the_file_says_what_it_is(exported: ParityReport) -> None:
    session = open_onnx_file(exported.path, threads=1)
    assert session.metadata() == {
        "matte.kind": "segmenter",
        "matte.size": "96",
        "matte.architecture": "deeplab-unet-light",
    }
    assert session.inputs == {"image": (None, 3, None, None)}
    assert [p.name for p in exported.path.parent.iterdir() if ".part" in p.name] == []


def test_weights_are_half_and_norms_are_gone(exported: ParityReport) -> None:
    model = onnx.load(exported.path)
    assert {d.op_type for d in model.graph.node}.isdisjoint({"BatchNormalization", "Identity"})
    float32 = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert all(len(t.dims) < 2 for t in float32)
    assert exported.path.stat().st_size < 2.3 * PARAMETERS
    kinds = {v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)}
    assert kinds == {onnx.TensorProto.FLOAT}


def test_the_file_says_nothing_about_this_machine(exported: ParityReport) -> None:
    stream = exported.path.read_bytes()
    for word in (str(Path.cwd()), "site-packages", "stack_trace", "forward("):
        assert word.encode() not in stream


@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 64, 320), (3, 320, 192)])
def test_openvino_gives_the_same(exported: ParityReport, shape: tuple[int, int, int]) -> None:
    core = openvino.Core()
    compiled = core.compile_model(exported.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    batch, height, width = shape
    image = np.random.default_rng(2).random((batch, 3, height, width), np.float32)
    other = open_onnx_file(exported.path, threads=1).run({"image": image})["mask"]
    assert other.shape == (batch, 1, height, width)
    np.testing.assert_allclose(compiled({"image": image})["mask"], other, atol=1e-5)


def test_a_network_that_differs_is_refused(
    exported: ParityReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(exported.path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT16:
            values = onnx.numpy_helper.to_array(tensor) * np.float16(1.1)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    # What a faulty exporter would give.
    monkeypatch.setattr(matte.conversion.onnx_writer, "trace_network", lambda *_: model)
    with pytest.raises(WeightsError, match="differs from torch"):
        export_segmenter(exported.path.with_suffix(".safetensors"), tmp_path / "other.onnx")
    assert list(tmp_path.iterdir()) == []


def test_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        export_segmenter(tmp_path / "none.safetensors", tmp_path / "x.onnx")


def test_branches_are_fused(tmp_path: Path) -> None:
    torch.manual_seed(2)
    network = build_network("likeunet-dark-light-branches").eval()
    checkpoint, file = tmp_path / "net.safetensors", tmp_path / "net.onnx"
    save_checkpoint(network, CheckpointInfo("likeunet-dark-light-branches", 96), checkpoint)
    export_segmenter(checkpoint, file, half=False)
    session = open_onnx_file(file, threads=1)
    assert session.metadata()["matte.architecture"] == "likeunet-dark-light"
    image = torch.rand(1, 3, 32, 64)
    with torch.inference_mode():
        expected = network(image).sigmoid().numpy()
    np.testing.assert_allclose(session.run({"image": image.numpy()})["mask"], expected, atol=1e-3)
    kernels = [t.dims for t in onnx.load(file).graph.initializer if len(t.dims) == 4]
    assert all(height == width for _, _, height, width in kernels)
