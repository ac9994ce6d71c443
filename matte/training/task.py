"""What the training loop needs to know of a network: one protocol for all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Batch = dict[str, Tensor]
NOTHING_TO_VALIDATE = "nothing to validate on: the last network is kept as the best"
FULL_SET_PICTURES = 25  # from which on a set counts fully in a score: few pictures prove little


class TrainingTask(Protocol):
    """A network to train, its samples, its losses and its validation."""

    @property
    def settings(self) -> Any:
        """The whole recipe, a dataclass with the run's settings as `run`."""
        ...

    @property
    def network(self) -> nn.Module:
        """The network, with the weights that training starts from."""
        ...

    @property
    def encoder(self) -> nn.Module | None:
        """The part of the network that is trained at the encoder's rate."""
        ...

    @property
    def score(self) -> str:
        """The name of the validation's metric that decides which network is best; high is good."""
        ...

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return a step's samples on one device: a function of step, rank and the seed."""
        ...

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses by name; their sum is minimised."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the metrics of a network in evaluation mode."""
        ...

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw a sheet (H, W, 3) of validation pictures with the network's results."""
        ...

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the network as a checkpoint (.safetensors) that can be used and trained further."""
        ...

    def export(self, checkpoint: Path) -> str:
        """Write a checkpoint's network as ONNX beside it; report how well torch agrees."""
        ...


def mean_over_sets(means: Mapping[str, float], pictures: Mapping[str, Sequence[float]]) -> float:
    """Return the mean of the sets' means, each weighted by its pictures, up to FULL_SET_PICTURES.

    `pictures` holds the values of each set's pictures. 0 without sets.
    """
    if not means:
        return 0.0
    weights = [min(len(pictures[name]), FULL_SET_PICTURES) for name in means]
    return float(np.average(list(means.values()), weights=weights))
