"""Layers that keep the weights they start with."""

from collections.abc import Iterator

from torch import nn

from matte.errors import SettingError


def layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that have weights of their own, in the order they were made."""
    for name, module in network.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            yield name, module


def freeze(network: nn.Module, count: int) -> list[nn.Module]:
    """The first `count` layers, which don't learn any more.

    They are to stay in evaluation mode: norms would go on adapting otherwise.
    """
    found = [module for _, module in layers(network)]
    if count > len(found):
        raise SettingError(f"freeze = {count}", f"the network has {len(found)} layers")
    for module in found[:count]:
        module.requires_grad_(False)
    return found[:count]
