"""The official MODNet's checkpoint without its weights, and what the official code made of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tests.official import filled_by_keys

GOLDEN = Path(__file__).parents[1] / "golden"
BACKBONE, COPY = "backbone.", "lr_branch.backbone."


def released_state() -> dict[str, torch.Tensor]:
    """As a file of theirs has it: the backbone twice, alike, and `module.` before every key.

    Their code holds one backbone under two names, so what is loaded last, the copy, counts for
    both.
    """
    state = dict(filled_by_keys("modnet_keys.json"))
    for key in state:
        if key.startswith(BACKBONE):
            state[key] = state[COPY + key.removeprefix(BACKBONE)]
    return {f"module.{key}": tensor for key, tensor in state.items()}


def single_state() -> dict[str, torch.Tensor]:
    """The same with one backbone and no prefix."""
    plain = {key.removeprefix("module."): tensor for key, tensor in released_state().items()}
    return {key: tensor for key, tensor in plain.items() if not key.startswith(COPY)}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What went into the official code and what came out, (N, C, H, W)."""

    image: NDArray[np.float32]
    outputs: dict[str, NDArray[np.float32]]  # semantic, detail, matte


def official_case() -> Case:
    with np.load(GOLDEN / "modnet_256x320.npz") as file:
        image = file["rgb"].astype(np.float32) / 127.5 - 1
        outputs = {name: file[name][None, None] for name in ("semantic", "detail", "matte")}
    return Case(np.ascontiguousarray(image.transpose(2, 0, 1)[None]), outputs)
