"""Depthwise convolutions that processors are slow at in bfloat16."""

import torch
from torch import Tensor, nn


class Float32Convolution(nn.Conv2d):
    """A convolution that calculates in float32 whatever autocast says."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # its name in torch
        """Return the convolution's output in its input's type."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float()).to(input.dtype)


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """Let the strided and dilated depthwise convolutions of a network calculate in float32.

    On CPUs their backward passes take half to a third of bfloat16's time, which has no fast kernel
    for them; together they are a sixth of a MobileNetV2's step.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and module.groups == module.in_channels > 1:
            plain = module.stride == (1, 1) and module.dilation == (1, 1)
            module.__class__ = nn.Conv2d if plain else Float32Convolution
