"""The optimiser of a run."""

import torch
from torch import nn

from matte.errors import SettingError
from matte.training.settings import RunSettings

RATE_SHARE = "part"  # a parameter group's share of the learning rate; stands in files of runs


def build_optimiser(
    network: nn.Module, encoder: nn.Module | None, settings: RunSettings
) -> torch.optim.Optimizer:
    """Return the recipe's optimiser for the trained parameters.

    The encoder has its own share of the rate. Norms and biases don't decay.
    """
    inside = {id(p) for p in encoder.parameters()} if encoder is not None else set()
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in inside, parameter.ndim > 1), []).append(parameter)
    if not groups:
        raise SettingError(f"freeze = {settings.freeze} leaves nothing to train", "freeze less")
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                RATE_SHARE: settings.encoder_rate if is_encoder else 1.0,
                "weight_decay": settings.weight_decay if is_weight else 0.0,
            }
            for (is_encoder, is_weight), parameters in groups.items()
        ],
        lr=settings.learning_rate,
        betas=(settings.momentum, 0.999),
        amsgrad=settings.optimiser == "amsgrad",
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give each group of parameters its share of the learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group[RATE_SHARE]
