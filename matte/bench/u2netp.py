"""U²-Net's small network with random weights: it takes as long as the trained one.

Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", 2020. The
modules are named as in the published checkpoints, so that programs which read those read these.
"""

import io
from pathlib import Path

import onnxslim
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matte.conversion.onnx_graphs import traced_graph
from matte.files import write_file

OUTER_CHANNELS, INNER_CHANNELS = 64, 16  # channels between the blocks, and inside them
STAGE_COUNT = 6
INPUT_SIDE = 320  # the square that it is fed
LOGIT_DEVIATION = 200.0  # standard deviations of the logits: the border is then as wide as usual


class ConvolutionLayer(nn.Module):
    """A convolution, a batch norm and a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same height and width."""
        return F.relu(self.bn_s1(self.conv_s1(x)))


class ResidualUBlock(nn.Module):
    """A small U-Net whose result is added to its first layer's; `flat`: without pooling."""

    def __init__(self, depth: int, in_channels: int, flat: bool = False) -> None:
        super().__init__()
        self._depth, self._flat = depth, flat
        self.rebnconvin = ConvolutionLayer(in_channels, OUTER_CHANNELS)
        for n in range(1, depth + 1):
            dilation = 2 ** (n - 1) if flat else 1 + (n == depth)
            self.add_module(
                f"rebnconv{n}",
                ConvolutionLayer(
                    OUTER_CHANNELS if n == 1 else INNER_CHANNELS, INNER_CHANNELS, dilation
                ),
            )
        for n in range(depth - 1, 0, -1):
            dilation = 2 ** (n - 1) if flat else 1
            layer = ConvolutionLayer(
                2 * INNER_CHANNELS, OUTER_CHANNELS if n == 1 else INNER_CHANNELS, dilation
            )
            self.add_module(f"rebnconv{n}d", layer)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same height and width."""
        first = x = self.rebnconvin(x)
        kept = []
        for n in range(1, self._depth + 1):
            x = self.get_submodule(f"rebnconv{n}")(x)
            kept.append(x)
            if not self._flat and n < self._depth - 1:
                x = halve_size(x)
        for n in range(self._depth - 1, 0, -1):
            x = torch.cat((resize_like(x, kept[n - 1]), kept[n - 1]), 1)
            x = self.get_submodule(f"rebnconv{n}d")(x)
        return torch.add(first, x)


class U2NetP(nn.Module):
    """A U-Net of residual U-blocks; each depth gives a map, and a last convolution mixes them."""

    def __init__(self) -> None:
        super().__init__()
        for n in range(1, STAGE_COUNT + 1):
            depth, flat = max(4, 8 - n), n >= STAGE_COUNT - 1
            self.add_module(
                f"stage{n}", ResidualUBlock(depth, 3 if n == 1 else OUTER_CHANNELS, flat)
            )
            if n < STAGE_COUNT:
                self.add_module(f"stage{n}d", ResidualUBlock(depth, 2 * OUTER_CHANNELS, flat))
            self.add_module(f"side{n}", nn.Conv2d(OUTER_CHANNELS, 1, 3, padding=1))
        self.outconv = nn.Conv2d(STAGE_COUNT, 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Return the subject's probability, (N, 1, H, W), for a normalised picture (N, 3, H, W)."""
        return torch.sigmoid(self.outconv(self.maps(picture)))

    def maps(self, picture: Tensor) -> Tensor:
        """Return each depth's own map, (N, 6, H, W)."""
        kept, x = [], picture
        for n in range(1, STAGE_COUNT + 1):
            x = self.get_submodule(f"stage{n}")(x if n == 1 else halve_size(x))
            kept.append(x)
        sides = [self.get_submodule(f"side{STAGE_COUNT}")(x)]
        for n in range(STAGE_COUNT - 1, 0, -1):
            x = torch.cat((resize_like(x, kept[n - 1]), kept[n - 1]), 1)
            x = self.get_submodule(f"stage{n}d")(x)
            sides.append(self.get_submodule(f"side{n}")(x))
        return torch.cat([resize_like(side, picture) for side in reversed(sides)], 1)


def halve_size(x: Tensor) -> Tensor:
    """Return features pooled to half their height and width."""
    return F.max_pool2d(x, 2, stride=2, ceil_mode=True)


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """Return features resized to the height and width of others."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear")


def random_network() -> U2NetP:
    """Return the network in evaluation mode, always with the same random weights.

    Its last convolution looks at the deepest map only, and steeply: masks are then smooth shapes,
    nearly binary, as a trained network's are. What comes after the mask depends on that.
    """
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        network = U2NetP().eval()
        rows = torch.linspace(-2, 2, INPUT_SIDE // 2)
        bright = torch.exp(-(rows[:, None] ** 2) - rows[None] ** 2)  # somebody in the middle
        deepest = network.maps((4 * bright - 2).expand(1, 3, -1, -1))[:, -1]
        steep = LOGIT_DEVIATION / deepest.std()
        network.outconv.weight.zero_()
        network.outconv.weight[0, -1] = steep
        network.outconv.bias = nn.Parameter(-steep * deepest.median()[None])
    return network.requires_grad_(False)


def write_onnx(path: Path) -> None:
    """Write the network as ONNX, for pictures of INPUT_SIDE pixels a side."""
    example = torch.zeros(1, 3, 64, 64)  # small: it is only traced
    model = traced_graph(random_network(), {"picture": example}, ["mask"])
    fixed = onnxslim.slim(model, input_shapes=[f"picture:1,3,{INPUT_SIDE},{INPUT_SIDE}"])
    write_file(path, fixed.SerializeToString(), overwrite=True)


def write_checkpoint(path: Path) -> None:
    """Write the weights as a torch checkpoint."""
    stream = io.BytesIO()
    torch.save(random_network().state_dict(), stream)
    write_file(path, stream.getvalue(), overwrite=True)
