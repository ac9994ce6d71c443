import copy

import torch
from torch import nn

from matte.segmentation.network import build_network
from matte.training.depthwise import Float32Convolution, keep_depthwise_in_float32


def test_only_slow_depthwise_convolutions_change_and_keep_their_values() -> None:
    network = build_network("deeplab-unet-light").eval()
    spared = copy.deepcopy(network)
    keep_depthwise_in_float32(spared)
    chosen = [m for m in spared.modules() if isinstance(m, Float32Convolution)]
    assert chosen
    assert all(m.groups > 1 and (m.stride, m.dilation) != ((1, 1), (1, 1)) for m in chosen)
    assert spared.state_dict().keys() == network.state_dict().keys()
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(spared(picture), network(picture))


def test_they_stay_in_float32_under_autocast() -> None:
    convolution = nn.Conv2d(8, 8, 3, 2, 1, groups=8)
    network = nn.Sequential(copy.deepcopy(convolution))
    keep_depthwise_in_float32(network)
    values = torch.rand(1, 8, 16, 16).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = network(values)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, convolution(values.float()).bfloat16())
