"""The moving average of a network's weights."""

import torch
from torch import nn

from matte.training.average import RunningAverage


def test_the_average_follows_slowly() -> None:
    network = nn.BatchNorm2d(2)
    average = RunningAverage(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(3)
        network.num_batches_tracked.fill_(7)  # type: ignore[union-attr]  # a tensor
    for step in range(1, 40):
        average.update(network, step)
    mean = average.network.state_dict()
    assert 2.5 < mean["weight"][0] < 3
    assert mean["num_batches_tracked"] == 7
