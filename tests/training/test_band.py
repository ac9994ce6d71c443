import json
from pathlib import Path

import numpy as np
import pytest
import torch

from matte.errors import SettingError
from matte.segmentation.network import (
    CheckpointInfo,
    build_network,
    load_checkpoint,
    save_checkpoint,
)
from matte.training.band import ARCHITECTURE, BandTask, train_band
from matte.training.band_settings import BandRecipe
from matte.training.collection import Collection
from matte.training.machine import TrainingMachine
from matte.training.settings import DataSet, RunSettings
from tests.training.checkpoints import train_checkpoint
from tests.training.modnet_discs import disc

RUN = RunSettings(
    batch=2, steps=6, learning_rate=2e-2, warm_up=0.0, average=0.0, validate_every=3, seed=4
)
SETTINGS = BandRecipe((DataSet("discs", "alphas"),), sizes=(64,), run=RUN)
CPU = TrainingMachine("cpu")


def collection() -> Collection:
    training = tuple(disc(seed) for seed in range(8))
    return Collection(
        ((SETTINGS.data[0], training),), tuple(("discs", disc(s)) for s in (70, 71)), ()
    )


def test_a_few_steps_find_soft_edges_and_leave_the_masks_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(2)
    start = build_network("deeplab-unet").eval()
    save_checkpoint(start, CheckpointInfo("deeplab-unet", 64), tmp_path / "start.safetensors")
    monkeypatch.setattr("matte.training.band.collect_pictures", lambda *_: collection())
    monkeypatch.setattr("matte.training.band.train_network", train_checkpoint)
    best = train_band(
        SETTINGS, tmp_path, tmp_path / "out", machine=CPU, init=tmp_path / "start.safetensors"
    )
    taught, info = load_checkpoint(best)
    assert (info.architecture, info.size) == (ARCHITECTURE, 64)
    picture = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        maps = taught(picture)
        assert torch.equal(maps[:, :1], start(picture))
    rows = [json.loads(line) for line in (best.parent / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["losses"]["band"] < 0.9 * rows[0]["losses"]["band"]
    assert rows[-1]["validation"]["score"] == rows[-1]["validation"]["soft discs"] > 0


def test_a_band_needs_a_trained_segmenter(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="by a trained segmenter: name it with --init"):
        train_band(SETTINGS, tmp_path, tmp_path / "out")


def test_soft_edges_are_what_is_neither_subject_nor_background() -> None:
    class Certain(torch.nn.Module):
        """A network that says 1 everywhere: its overlap is the soft edge's share."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(50.0))

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return self.weight.expand(len(picture), 2, *picture.shape[2:])

    task = BandTask(SETTINGS, build_network(ARCHITECTURE), collection())
    soft = [((s.truth > 5) & (s.truth < 250)).mean() for _, s in task.collection.validation]
    assert task.validate(Certain())["soft discs"] == pytest.approx(np.mean(soft))
    batch = {name: torch.as_tensor(value) for name, value in task.batch(1, 0).items()}
    assert task.losses(Certain(), batch)["band"] > 1
    assert task.sheet(Certain()).ndim == 3
