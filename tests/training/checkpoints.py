"""Training for tests that look at checkpoints only."""

from pathlib import Path
from typing import Any

import pytest
from lightning_fabric import Fabric

from matte.training.run import train_network
from matte.training.task import TrainingTask


def train_checkpoint(task: TrainingTask, out: Path, fabric: Fabric, **arguments: Any) -> Path:
    """As `train_network`, but for the ONNX file, which takes longer than a few small steps."""

    def export(_: TrainingTask, checkpoint: Path) -> str:
        checkpoint.with_suffix(".onnx").touch()
        return "not exported"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(task), "export", export)
        return train_network(task, out, fabric, **arguments)
