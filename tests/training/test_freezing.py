"""Layers that keep their weights, norms that keep their statistics."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from matte.errors import SettingError
from matte.training.freezing import freeze_layers
from matte.training.settings import NormStatistics
from tests.training.line_task import SETTINGS, LineTask, train_line


def test_frozen_layers_stay(tmp_path: Path) -> None:
    task = LineTask()
    before = {k: v.clone() for k, v in task.network.state_dict().items()}
    train_line(tmp_path, replace(SETTINGS, freeze=2), task=task)
    after = task.network.state_dict()
    for name in before:
        assert torch.equal(before[name], after[name]) == name.startswith(("0.", "1."))


def test_too_much_frozen_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="leaves nothing"):
        train_line(tmp_path, replace(SETTINGS, freeze=3))
    with pytest.raises(SettingError, match="has 3 layers"):
        freeze_layers(LineTask().network, 4)


@pytest.mark.parametrize("norms", ["batch", "fixed"])
def test_norms_keep_their_statistics_where_these_are_fixed(
    tmp_path: Path, norms: NormStatistics
) -> None:
    task = LineTask()
    before = {k: v.clone() for k, v in task.network.state_dict().items()}
    train_line(tmp_path, replace(SETTINGS, norms=norms), task=task)
    after = task.network.state_dict()
    for name in ("1.running_mean", "1.running_var"):
        assert torch.equal(before[name], after[name]) == (norms == "fixed")
    assert not torch.equal(before["1.weight"], after["1.weight"])
