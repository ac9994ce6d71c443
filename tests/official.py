"""Official checkpoints without their weights: tensors filled by a rule that needs only their keys.

The same rule filled the official code's networks, whose outputs lie in tests/golden.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).parent / "golden"


def filled(shapes: Mapping[str, Sequence[int]]) -> dict[str, torch.Tensor]:
    """A state_dict with those keys and shapes, always the same."""
    state = {key: _tensor(key, tuple(shape)) for key, shape in shapes.items()}
    for key in state:
        if key.endswith(".weight_u"):
            state[key], state[key[:-1] + "v"] = _singular(key, state[key[:-1] + "bar"])
    return state


def official_gca() -> dict[str, torch.Tensor]:
    """The released GCA code's checkpoint, in a dictionary of its own."""
    return dict(filled_by_keys("gca_keys.json"))


@cache
def filled_by_keys(name: str) -> Mapping[str, torch.Tensor]:
    """The tensors for a file of keys in tests/golden, made once: it takes seconds."""
    return filled(json.loads((GOLDEN / name).read_text()))


def _random(key: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(key.encode()))


def _tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    random, leaf = _random(key), key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return torch.tensor(0)
    if leaf == "running_var" or (leaf == "weight" and len(shape) == 1):
        values = random.uniform(0.5, 1.5, shape)
    elif len(shape) >= 2:
        values = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        values = 0.1 * random.standard_normal(shape)
    return torch.from_numpy(values.astype(np.float32))


def _singular(key: str, weight_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest singular vectors by power iteration, as spectral norm keeps them."""
    matrix = weight_bar.numpy().reshape(weight_bar.shape[0], -1).astype(np.float64)
    u = _random(key).standard_normal(matrix.shape[0])
    u /= np.linalg.norm(u)
    for _ in range(30):
        v = matrix.T @ u
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
    return torch.from_numpy(u.astype(np.float32)), torch.from_numpy(v.astype(np.float32))
