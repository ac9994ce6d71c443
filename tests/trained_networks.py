"""Networks as a training leaves them."""

from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from matte.segmentation.network import CheckpointInfo, build_network, save_checkpoint

Network = TypeVar("Network", bound=nn.Module)


def lived_in(network: Network) -> Network:
    """The network in evaluation mode, with norms that do something and biases that are not zero."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.copy_(torch.randn(parameter.shape, generator=random) / 10)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                shape = module.running_mean.shape
                module.weight.copy_(torch.rand(shape, generator=random) * 0.4 + 0.8)
                module.running_mean.copy_(torch.randn(shape, generator=random) / 10)
                module.running_var.copy_(torch.rand(shape, generator=random) + 0.5)
    return network.eval()


def randomise_norms(network: nn.Module) -> None:
    """Gives the norms statistics and scales that are not 0 and 1, as trained ones have."""
    random = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            with torch.no_grad():
                for value in (module.weight, module.running_var):
                    value.copy_(torch.rand(value.shape, generator=random) + 0.5)
                for value in (module.bias, module.running_mean):
                    value.copy_(torch.rand(value.shape, generator=random) - 0.5)


def saved_segmenter(path: Path, architecture: str, seed: int = 1, size: int = 96) -> Path:
    """The file of a segmenter that could have been trained."""
    torch.manual_seed(seed)
    network = build_network(architecture)
    randomise_norms(network)
    save_checkpoint(network, CheckpointInfo(architecture, size), path)
    return path
