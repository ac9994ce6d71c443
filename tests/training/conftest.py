"""A handful of pictures that a network learns in a few steps: a bright disc is the subject."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

RECIPE = """
architecture = "unet"
sizes = [64]

[run]
batch = 4
steps = 3
validate_every = 3
warm_up = 0.0
average = 0.5
learning_rate = 3e-3
encoder_rate = 1.0

[collect]
held_back = 0.3

[augmentation]
crop = 0.0
shrink = 0.0
rotate = 0.0
light = 0.1
blur = 0.0

[[data]]
folder = "discs"
weight = 0.8

[[data]]
folder = "cut"
layout = "cutouts"
weight = 0.1

[[data]]
folder = "empty"
layout = "backgrounds"
weight = 0.1
"""


def disc(seed: int, height: int = 72, width: int = 96) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    picture = random.integers(0, 80, (height, width, 3)).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    centre = (int(random.integers(30, width - 30)), int(random.integers(30, height - 30)))
    cv2.circle(mask, centre, 22, 255, -1)
    picture[mask == 255] += 150
    return picture, mask


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for folder in ("discs/images", "discs/masks", "cut", "empty"):
        (root / folder).mkdir(parents=True)
    for seed in range(12):
        picture, mask = disc(seed)
        cv2.imwrite(str(root / f"discs/images/{seed:02}.png"), picture)
        cv2.imwrite(str(root / f"discs/masks/{seed:02}.png"), mask)
    picture, mask = disc(50)
    cv2.imwrite(str(root / "cut/one.png"), np.dstack([picture, mask]))
    for seed in range(3):
        empty = np.random.default_rng(seed).integers(0, 80, (60, 80, 3)).astype(np.uint8)
        cv2.imwrite(str(root / f"empty/{seed}.png"), empty)
    return root


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Networks this small lose more at the threads' barriers than they gain, above all on a
    machine that does other work at the same time.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
