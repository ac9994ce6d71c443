"""A task so small that a run takes a moment: a line through points."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.runtime.tensors import save_tensors
from matte.training.machine import TrainingMachine
from matte.training.run import train_network
from matte.training.settings import RunSettings

SETTINGS = RunSettings(batch=4, steps=12, validate_every=4, learning_rate=5e-2, average=0.5)


@dataclass(frozen=True)
class LineRecipe:
    run: RunSettings
    data: tuple[str, ...] = ("a",)


@dataclass
class LineTask:
    """Learns y = 2x + 1 from noisy points, through a norm and dropout: state and chance count."""

    network: nn.Module = field(init=False)
    encoder: nn.Module | None = None
    score: str = "score"
    scores: Iterator[float] | None = None
    settings: LineRecipe = field(default_factory=lambda: LineRecipe(SETTINGS))

    def __post_init__(self) -> None:
        torch.manual_seed(3)
        layers = (nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.1), nn.Conv2d(4, 1, 1))
        self.network = nn.Sequential(*layers)

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        random = np.random.default_rng([step, rank])
        x = random.random((4, 1, 2, 2), np.float32)
        return {"x": x, "y": 2 * x + 1 + 0.01 * random.standard_normal(x.shape, np.float32)}

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"error": (network(batch["x"]) - batch["y"]).square().mean()}

    def validate(self, network: nn.Module) -> dict[str, float]:
        if self.scores is not None:
            return {"score": next(self.scores)}
        batch = {name: torch.from_numpy(v) for name, v in self.batch(0, 0).items()}
        with torch.no_grad():
            return {"score": -float(self.losses(network, batch)["error"])}

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        return np.zeros((4, 4, 3), np.uint8)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        save_tensors(path, network.state_dict(), "line", {"step": step})

    def export(self, checkpoint: Path) -> str:
        checkpoint.with_suffix(".onnx").write_bytes(checkpoint.read_bytes())
        return "exported"


def train_line(
    out: Path, settings: RunSettings = SETTINGS, **arguments: Any
) -> list[dict[str, Any]]:
    """Train in the folder and return the journal's rows, without their times."""
    task = arguments.pop("task", None) or LineTask()
    task.settings = LineRecipe(settings, arguments.pop("data", ("a",)))
    train_network(task, out, TrainingMachine("cpu").fabric(settings.precision), **arguments)
    rows = [json.loads(row) for row in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: row[key] for key in row if key != "seconds"} for row in rows]
