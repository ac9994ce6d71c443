"""Layers that keep the weights, and norms that keep the statistics, they start with."""

from collections.abc import Iterator

from torch import nn

from matte.errors import SettingError


def weighted_layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Iterate over the modules that have weights of their own, in the order they were made."""
    for name, module in network.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            yield name, module


def freeze_layers(network: nn.Module, count: int) -> list[nn.Module]:
    """Freeze the weights of the first `count` layers and return these layers.

    They are to stay in evaluation mode: norms would go on adapting otherwise.
    """
    layers = [module for _, module in weighted_layers(network)]
    if count > len(layers):
        raise SettingError(f"freeze = {count}", f"the network has {len(layers)} layers")
    for module in layers[:count]:
        module.requires_grad_(False)
    return layers[:count]


def batch_norms(network: nn.Module) -> list[nn.Module]:
    """Return the network's batch norms; in evaluation mode their statistics stay as they are."""
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
