"""A few tiny pictures of each kind."""

import cv2
import numpy as np
import pytest

from matte.datasets.samples import Kind, Sample


def disc(kind: Kind, seed: int, height: int = 150, width: int = 190) -> Sample:
    """A bright disc with an edge that suits the kind, on dark noise."""
    random = np.random.default_rng(seed)
    truth = np.zeros((height, width), np.uint8)
    if kind != "background":
        cv2.circle(truth, (width // 2, height // 2), 45, 255, -1)
    if kind in ("alpha", "cutout"):
        truth = np.asarray(cv2.GaussianBlur(truth, (0, 0), 3), np.uint8)
    if kind == "mask":
        cv2.circle(truth, (width // 2, height // 2), 46, 128, 7)
    noise = random.integers(0, 60, (height, width, 3))
    part = truth[:, :, None] / 255 if kind != "mask" else truth[:, :, None] == 255
    picture = noise + np.where(kind == "cutout", 1, part) * 150
    return Sample(f"{kind}{seed}", kind, picture.astype(np.uint8), truth)


@pytest.fixture(scope="session")
def groups() -> tuple[list[Sample], list[Sample], list[Sample], list[Sample]]:
    kinds: tuple[Kind, ...] = ("alpha", "cutout", "mask", "background")
    alphas, cutouts, masks, backgrounds = ([disc(k, s) for s in range(2)] for k in kinds)
    return alphas, cutouts, masks, backgrounds
