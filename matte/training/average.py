"""The exponential moving average of a network's weights."""

import copy

import torch
from torch import nn


class RunningAverage(nn.Module):
    """A copy of a network whose weights are an exponential moving average of the trained ones."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Draw the average nearer to the network, faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, new in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(new)
