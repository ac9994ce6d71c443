"""What can be tested without a GPU; test_line.py compares replayed work with plain work on one."""

import pytest
import torch

from matte.errors import SettingError
from matte.gpu.graphs import GraphedFunction
from matte.gpu.results import FrameResults


def test_a_processor_has_no_graphs() -> None:
    def never(frames: torch.Tensor, background: torch.Tensor | None) -> FrameResults:
        raise AssertionError

    with pytest.raises(SettingError, match="CUDA graphs on cpu: leave them out, or use a GPU"):
        GraphedFunction(never)(torch.zeros(1, 2, 2, 3, dtype=torch.uint8), None)
