from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from matte.conversion.onnx_graphs import trace_network
from matte.conversion.parity import (
    Example,
    OutputDifference,
    ParityReport,
    check_differences,
    runtime_differences,
    smooth_noise,
)
from matte.errors import WeightsError


class Half(nn.Module):
    """The mean of a picture's channels at half the size, times a factor."""

    def forward(self, image: Tensor, factor: Tensor) -> Tensor:
        mean = nn.functional.avg_pool2d(image.mean(dim=1, keepdim=True), 2)
        return mean * factor.view(-1, 1, 1, 1)


def case(height: int, width: int) -> Example:
    return {"image": torch.rand(2, 3, height, width), "factor": torch.rand(2)}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("writing") / "half.onnx"
    onnx.save(trace_network(Half().eval(), case(64, 96), ["found"]), path)
    return path


def test_both_runtimes_are_compared_at_every_size(file: Path) -> None:
    found = list(runtime_differences(file, Half(), [case(32, 64), case(96, 32)]))
    assert [(d.runtime, d.height, d.width) for d in found] == [
        ("onnx", 32, 64),
        ("openvino", 32, 64),
        ("onnx", 96, 32),
        ("openvino", 96, 32),
    ]
    assert all(0 <= d.mean <= d.largest < 1e-6 for d in found)
    assert all(d.rounding == 0 for d in found)
    check_differences(found)


def test_what_rounding_did_is_told_apart(file: Path) -> None:
    class Brighter(Half):
        def forward(self, image: Tensor, factor: Tensor) -> Tensor:
            return super().forward(image, factor) + 0.01

    found = list(runtime_differences(file, Half(), [case(32, 64)], Brighter()))
    assert all(d.largest < 1e-6 and d.rounding == pytest.approx(0.01, rel=1e-3) for d in found)
    check_differences(found)
    assert "1.0e-02 on average from float32 weights" in str(
        ParityReport(file, "half", tuple(found))
    )
    with pytest.raises(WeightsError, match="differs"):
        check_differences([OutputDifference("onnx", 32, 64, 0, 0, 0.03)])


def test_other_shapes_are_refused(file: Path) -> None:
    class Double(Half):
        def forward(self, image: Tensor, factor: Tensor) -> Tensor:
            return super().forward(image, factor)[:, :, ::2]

    with pytest.raises(WeightsError, match=r"gives \(2, 1, 16, 32\), not \(2, 1, 8, 32\)"):
        list(runtime_differences(file, Double(), [case(32, 64)]))


@pytest.mark.parametrize("largest", [2e-4, float("nan")])
def test_differences_are_refused(largest: float) -> None:
    with pytest.raises(WeightsError, match=r"on openvino differs from torch by .* at 32×64"):
        check_differences([OutputDifference("openvino", 64, 32, largest, 0)])


def test_smooth_noise_is_the_same_every_time() -> None:
    noise = smooth_noise(2, 3, 64, 32)
    assert noise.shape == (2, 3, 64, 32)
    assert torch.equal(noise, smooth_noise(2, 3, 64, 32))
    blocks = noise.unfold(2, 16, 16).unfold(3, 16, 16)
    assert float(blocks.std(dim=(-1, -2)).max()) < 1e-6
    assert 0 <= float(noise.min()) < float(noise.max()) < 1
    assert np.unique(noise.numpy()).size == 2 * 3 * 4 * 2
