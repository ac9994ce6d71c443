from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from matte.conversion.graphs import traced
from matte.conversion.writing import (
    Case,
    Difference,
    ParityReport,
    differences,
    refuse_difference,
    smooth,
    write_network,
)
from matte.errors import OutputError, WeightsError


class Half(nn.Module):
    """The mean of a picture's channels at half the size, times a factor."""

    def forward(self, image: Tensor, factor: Tensor) -> Tensor:
        mean = nn.functional.avg_pool2d(image.mean(dim=1, keepdim=True), 2)
        return mean * factor.view(-1, 1, 1, 1)


def case(height: int, width: int) -> Case:
    return {"image": torch.rand(2, 3, height, width), "factor": torch.rand(2)}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("writing") / "half.onnx"
    onnx.save(traced(Half().eval(), case(64, 96), ["found"]), path)
    return path


def test_both_runtimes_are_compared_at_every_size(file: Path) -> None:
    found = list(differences(file, Half(), [case(32, 64), case(96, 32)]))
    assert [(d.runtime, d.height, d.width) for d in found] == [
        ("onnx", 32, 64),
        ("openvino", 32, 64),
        ("onnx", 96, 32),
        ("openvino", 96, 32),
    ]
    assert all(0 <= d.mean <= d.largest < 1e-6 for d in found)
    assert all(d.rounding == 0 for d in found)
    refuse_difference(found)


def test_what_rounding_did_is_told_apart(file: Path) -> None:
    class Brighter(Half):
        def forward(self, image: Tensor, factor: Tensor) -> Tensor:
            return super().forward(image, factor) + 0.01

    found = list(differences(file, Half(), [case(32, 64)], Brighter()))
    assert all(d.largest < 1e-6 and d.rounding == pytest.approx(0.01, rel=1e-3) for d in found)
    refuse_difference(found)
    assert "1.0e-02 on average from float32 weights" in str(
        ParityReport(file, "half", tuple(found))
    )
    with pytest.raises(WeightsError, match="differs"):
        refuse_difference([Difference("onnx", 32, 64, 0, 0, 0.03)])


def test_other_shapes_are_refused(file: Path) -> None:
    class Double(Half):
        def forward(self, image: Tensor, factor: Tensor) -> Tensor:
            return super().forward(image, factor)[:, :, ::2]

    with pytest.raises(WeightsError, match=r"gives \(2, 1, 16, 32\), not \(2, 1, 8, 32\)"):
        list(differences(file, Double(), [case(32, 64)]))


@pytest.mark.parametrize("largest", [2e-4, float("nan")])
def test_differences_are_refused(largest: float) -> None:
    with pytest.raises(WeightsError, match=r"on openvino differs from torch by .* at 32×64"):
        refuse_difference([Difference("openvino", 64, 32, largest, 0)])


def test_what_is_frozen_at_the_traced_size_leaves_no_file(tmp_path: Path) -> None:
    class Frozen(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image * int(image.shape[2])

    cases = [{"image": torch.rand(1, 3, 32, 32)}, {"image": torch.rand(1, 3, 64, 32)}]
    with pytest.raises(WeightsError, match="differs from torch"):
        write_network(Frozen(), tmp_path / "net.onnx", {}, cases, "found", half=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path, case = tmp_path / "none" / "net.onnx", {"input": torch.rand(1, 3, 8, 8)}
    with pytest.raises(OutputError, match=r"can't write .*net\.onnx"):
        write_network(nn.ReLU(), path, {}, [case], "found", half=False)


def test_smooth_noise_is_the_same_every_time() -> None:
    noise = smooth(2, 3, 64, 32)
    assert noise.shape == (2, 3, 64, 32)
    assert torch.equal(noise, smooth(2, 3, 64, 32))
    blocks = noise.unfold(2, 16, 16).unfold(3, 16, 16)
    assert float(blocks.std(dim=(-1, -2)).max()) < 1e-6
    assert 0 <= float(noise.min()) < float(noise.max()) < 1
    assert np.unique(noise.numpy()).size == 2 * 3 * 4 * 2
