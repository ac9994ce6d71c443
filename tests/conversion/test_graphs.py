from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from matte.conversion.graphs import Difference, differences, refuse_difference, traced
from matte.errors import WeightsError


class Half(nn.Module):
    """The mean of a picture's channels at half the size, and each times a factor."""

    def forward(self, image: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
        mean = nn.functional.avg_pool2d(image.mean(dim=1, keepdim=True), 2)
        return mean, mean * factor.view(-1, 1, 1, 1)


def case(height: int, width: int) -> dict[str, Tensor]:
    return {"image": torch.rand(2, 3, height, width), "factor": torch.rand(2)}


def shape(value: onnx.ValueInfoProto) -> list[str | int]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.fixture(scope="module")
def free() -> onnx.ModelProto:
    return traced(Half().eval(), case(64, 96), ["grey", "shade"], free=True)


def test_free_sizes_have_names(free: onnx.ModelProto) -> None:
    shapes = {v.name: shape(v) for v in (*free.graph.input, *free.graph.output)}
    assert shapes["image"] == ["batch", 3, "height", "width"]
    assert shapes["factor"] == ["batch"]
    assert {"grey", "shade"} < set(shapes)


def test_one_size_can_be_kept() -> None:
    model = traced(Half().eval(), case(64, 96), ["grey", "shade"], free=False)
    image, _ = model.graph.input
    mean, _ = model.graph.output
    assert shape(image) == ["batch", 3, 64, 96]
    assert shape(mean) == ["batch", 1, 32, 48]


def test_both_runtimes_are_compared_at_every_size(free: onnx.ModelProto, tmp_path: Path) -> None:
    onnx.save(free, tmp_path / "half.onnx")
    found = list(differences(tmp_path / "half.onnx", Half(), [case(32, 64), case(96, 32)]))
    assert [(d.runtime, d.height, d.width) for d in found] == [
        ("onnx", 32, 64),
        ("openvino", 32, 64),
        ("onnx", 96, 32),
        ("openvino", 96, 32),
    ]
    assert all(0 <= d.mean <= d.largest < 1e-6 for d in found)
    refuse_difference(found)


def test_other_shapes_are_refused(free: onnx.ModelProto, tmp_path: Path) -> None:
    class Double(Half):
        def forward(self, image: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
            mean, product = super().forward(image, factor)
            return mean[:, :, ::2], product

    onnx.save(free, tmp_path / "half.onnx")
    with pytest.raises(WeightsError, match=r"gives .*\(2, 1, 16, 32\).*, not .*\(2, 1, 8, 32\)"):
        list(differences(tmp_path / "half.onnx", Double(), [case(32, 64)]))


@pytest.mark.parametrize("largest", [2e-4, float("nan")])
def test_differences_are_refused(largest: float) -> None:
    with pytest.raises(WeightsError, match=r"on openvino differs from torch by .* at 32×64"):
        refuse_difference([Difference("openvino", 64, 32, largest, 0)])
