import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from matte.refiner.checkpoint import load_network
from matte.refiner.network import GcaNetwork
from matte.refiner.slim import SlimNetwork
from matte.training.collection import collect_pictures
from matte.training.machine import TrainingMachine
from matte.training.recipes import read_recipe
from matte.training.refiner import RefinerTask, build_refiner_network
from matte.training.settings import RefinerRecipe
from tests.training.checkpoints import train_checkpoint

RECIPE = """
sizes = [64]

[run]
batch = 2
steps = 4
validate_every = 2
learning_rate = 2e-3
encoder_rate = 1.0
average = 0.5

[collect]
held_back = 0.3
longest = 0

[[data]]
folder = "soft"
layout = "alphas"

[[data]]
folder = "walls"
layout = "backgrounds"
held_back = 0.0
"""


@pytest.fixture(scope="session")
def mattes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blurred discs on plain grounds."""
    root = tmp_path_factory.mktemp("mattes")
    for folder in ("soft/images", "soft/alphas", "walls"):
        (root / folder).mkdir(parents=True)
    for seed in range(8):
        random = np.random.default_rng(seed)
        hard = np.zeros((96, 96), np.float32)
        centre = (int(random.integers(24, 72)), int(random.integers(24, 72)))
        cv2.ellipse(hard, centre, (34, 20), 180 * seed / 8, 0, 360, (1.0,), -1)
        alpha = np.asarray(cv2.GaussianBlur(hard, (0, 0), 4))[:, :, None]
        front, back = random.uniform(150, 250, 3), random.uniform(0, 100, 3)
        picture = alpha * front + (1 - alpha) * back
        cv2.imwrite(str(root / f"soft/images/{seed}.png"), np.rint(picture).astype(np.uint8))
        cv2.imwrite(str(root / f"soft/alphas/{seed}.png"), np.rint(alpha * 255).astype(np.uint8))
        wall = random.integers(0, 255, (80, 80, 3)).astype(np.uint8)
        cv2.imwrite(str(root / f"walls/{seed}.png"), cv2.blur(wall, (15, 15)))
    return root


@pytest.fixture
def settings(tmp_path: Path) -> RefinerRecipe:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return read_recipe(RefinerRecipe, str(path))


def task_of(settings: RefinerRecipe, data: Path) -> RefinerTask:
    collection = collect_pictures(settings.data, settings.collect, data, lambda _: None)
    torch.manual_seed(settings.run.seed)
    return RefinerTask(settings, build_refiner_network(settings), collection)


def test_a_few_steps_learn_soft_discs(
    settings: RefinerRecipe, mattes: Path, tmp_path: Path
) -> None:
    longer = replace(settings, run=replace(settings.run, steps=24, validate_every=12, batch=4))
    task = task_of(longer, mattes)
    best = train_checkpoint(task, tmp_path / "run", TrainingMachine("cpu").fabric("32-true"))
    rows = [json.loads(row) for row in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    first, last = (row["losses"]["alpha"] for row in rows)
    assert last < 0.8 * first
    assert set(rows[0]["losses"]) == {"alpha", "composition", "laplacian", "gradient"}
    assert set(rows[0]["validation"]) == {"score", "sad soft", "blind soft"}
    assert isinstance(load_network(best), SlimNetwork)


def test_the_official_network_is_kept_with_plain_weights(
    settings: RefinerRecipe, mattes: Path, tmp_path: Path
) -> None:
    chosen = replace(settings, architecture="gca", width=0.1)
    task = task_of(chosen, mattes)
    best = train_checkpoint(task, tmp_path / "run", TrainingMachine("cpu").fabric("32-true"))
    network = load_network(best)
    assert isinstance(network, GcaNetwork)
    assert network.design.width == 0.1


def test_batches_depend_on_the_step_alone(settings: RefinerRecipe, mattes: Path) -> None:
    task = task_of(settings, mattes)
    first, again, other = (task.batch(step, 0) for step in (3, 3, 4))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert (first["picture"] != other["picture"]).any()
    assert first["picture"].shape == (2, 64, 64, 3)
    assert set(np.unique(first["trimap"])) <= {0, 128, 255}


def test_the_twin_starts_from_the_network_with_attention(settings: RefinerRecipe) -> None:
    with_attention = build_refiner_network(settings).state_dict()
    twin = build_refiner_network(replace(settings, attention=False)).state_dict()
    assert set(twin) < set(with_attention)
