from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from matte.conversion.onnx_writer import write_network
from matte.errors import OutputError, WeightsError


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
