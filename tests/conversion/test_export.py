from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch
from torch import nn

import matte.conversion.export
from matte.conversion.export import (
    ParityReport,
    export_segmenter,
    with_half_weights,
    without_batch_norms,
)
from matte.errors import WeightsError
from matte.runtime.onnx import OnnxSession
from matte.segmentation.network import (
    ARCHITECTURES,
    CheckpointInfo,
    SegmentationNetwork,
    build_network,
    load_checkpoint,
    save_checkpoint,
)


def lived_in(architecture: str) -> SegmentationNetwork:
    """A network whose norms don't do nothing."""
    torch.manual_seed(1)
    network = build_network(architecture)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, 0, 0.1)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ParityReport:
    folder = tmp_path_factory.mktemp("export")
    info = CheckpointInfo("unet", 96, 5, {"iou": 0.5})
    save_checkpoint(lived_in("unet"), info, folder / "net.safetensors")
    return export_segmenter(folder / "net.safetensors", folder / "net.onnx")


def test_the_report_holds_at_every_size(exported: ParityReport) -> None:
    assert {(d.height, d.width) for d in exported.differences} >= {(320, 192), (64, 320)}
    for d in exported.differences:
        assert 0 <= d.mean <= d.largest < 1e-5
        assert d.mean_to_float32 <= d.largest_to_float32 < 1e-2
    assert "net.onnx (unet, 96 px)" in str(exported)


def test_the_file_says_what_it_is(exported: ParityReport) -> None:
    session = OnnxSession(exported.path, 1)
    assert session.metadata() == {
        "matte.kind": "segmenter",
        "matte.size": "96",
        "matte.architecture": "unet",
    }
    assert session.inputs == {"image": (None, 3, None, None)}
    assert [p.name for p in exported.path.parent.iterdir() if p.suffix == ".part"] == []


def test_weights_are_half_and_norms_are_gone(exported: ParityReport) -> None:
    model = onnx.load(exported.path)
    assert {d.op_type for d in model.graph.node}.isdisjoint({"BatchNormalization", "Identity"})
    float32 = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert all(len(t.dims) < 2 for t in float32)
    assert exported.path.stat().st_size < 2.3 * 4.2e6
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
    other = OnnxSession(exported.path, 1).run({"image": image})["mask"]
    assert other.shape == (batch, 1, height, width)
    np.testing.assert_allclose(compiled({"image": image})["mask"], other, atol=1e-5)


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_folding_changes_nothing(architecture: str) -> None:
    network = lived_in(architecture)
    folded = without_batch_norms(network)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    image = torch.rand(1, 3, 64, 32)
    with torch.inference_mode():
        torch.testing.assert_close(folded(image), network(image), atol=1e-4, rtol=1e-4)


def test_rounded_weights_fit_into_half() -> None:
    rounded = with_half_weights(without_batch_norms(lived_in("unet")))
    for parameter in rounded.parameters():
        if parameter.ndim > 1:
            assert torch.equal(parameter, parameter.half().float())


def test_a_network_that_differs_is_refused(
    exported: ParityReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = exported.path.with_suffix(".safetensors")
    other = tmp_path / "other.safetensors"
    network, info = load_checkpoint(checkpoint)
    save_checkpoint(network, info, other)
    model = onnx.load(exported.path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT16:
            values = onnx.numpy_helper.to_array(tensor) * np.float16(1.1)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    # What a faulty exporter would give.
    monkeypatch.setattr(matte.conversion.export, "traced", lambda *_, **__: model)
    with pytest.raises(WeightsError, match="differs from torch"):
        export_segmenter(other, tmp_path / "other.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["other.safetensors"]


def test_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        export_segmenter(tmp_path / "none.safetensors", tmp_path / "x.onnx")
