"""U²-Net: a UNet whose every block is a UNet, with the names of its authors' checkpoints.

X. Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", 2020.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE_OUTPUTS = 6
FLAT_DILATIONS = (1, 2, 4, 8)  # of the blocks that don't change the size


@dataclass(frozen=True, slots=True)
class BlockDesign:
    """A block: how many convolutions deep it goes, its channels, and whether it keeps the size."""

    depth: int
    before: int
    middle: int
    after: int
    flat: bool = False


FULL = {
    "stage1": BlockDesign(7, 3, 32, 64),
    "stage2": BlockDesign(6, 64, 32, 128),
    "stage3": BlockDesign(5, 128, 64, 256),
    "stage4": BlockDesign(4, 256, 128, 512),
    "stage5": BlockDesign(4, 512, 256, 512, flat=True),
    "stage6": BlockDesign(4, 512, 256, 512, flat=True),
    "stage5d": BlockDesign(4, 1024, 256, 512, flat=True),
    "stage4d": BlockDesign(4, 1024, 128, 256),
    "stage3d": BlockDesign(5, 512, 64, 128),
    "stage2d": BlockDesign(6, 256, 32, 64),
    "stage1d": BlockDesign(7, 128, 16, 64),
}
SMALL = {
    name: BlockDesign(
        b.depth, 3 if name == "stage1" else 128 if name.endswith("d") else 64, 16, 64, b.flat
    )
    for name, b in FULL.items()
}


class U2Net(nn.Module):
    """Logits (N, 1, H, W) of pictures (N, 3, H, W) as ImageNet's networks take them.

    In training they are (N, 7, H, W): the fused map and the six that it is fused from.
    """

    def __init__(self, small: bool = False) -> None:
        super().__init__()
        designs = SMALL if small else FULL
        for name, design in designs.items():
            self.add_module(name, NestedBlock(design))
        for level in range(1, SIDE_OUTPUTS + 1):
            source = designs["stage6" if level == SIDE_OUTPUTS else f"stage{level}d"]
            self.add_module(f"side{level}", nn.Conv2d(source.after, 1, 3, padding=1))
        self.outconv = nn.Conv2d(SIDE_OUTPUTS, 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """Return the fused logits; in training, the sides' behind them."""
        skips, features = [], picture
        for level in range(1, SIDE_OUTPUTS + 1):
            features = self.get_submodule(f"stage{level}")(features)
            skips.append(features)
            if level < SIDE_OUTPUTS:
                features = _halve(features)
        decoded = [skips.pop()]
        while skips:
            level, skip = len(skips), skips.pop()
            joined = torch.cat([_enlarge(decoded[0], skip), skip], dim=1)
            decoded.insert(0, self.get_submodule(f"stage{level}d")(joined))
        sides = [
            _enlarge(self.get_submodule(f"side{number}")(each), decoded[0])
            for number, each in enumerate(decoded, 1)
        ]
        joined = torch.cat(sides, dim=1)
        fused: Tensor = self.outconv(joined)
        return torch.cat([fused, joined], dim=1) if self.training else fused


class NestedBlock(nn.Module):
    """A UNet of a few convolutions, whose result is added to its first convolution's."""

    def __init__(self, design: BlockDesign) -> None:
        super().__init__()
        self.design = design
        middle, depth = design.middle, design.depth
        self.rebnconvin = DilatedConvolution(design.before, design.after)
        for number in range(1, depth + 1):
            before = design.after if number == 1 else middle
            dilation = _dilation(design, number)
            self.add_module(f"rebnconv{number}", DilatedConvolution(before, middle, dilation))
        for number in range(depth - 1, 0, -1):
            after = design.after if number == 1 else middle
            dilation = _dilation(design, number) if design.flat else 1
            name = f"rebnconv{number}d"
            self.add_module(name, DilatedConvolution(2 * middle, after, dilation))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, after, H, W)."""
        depth, flat = self.design.depth, self.design.flat
        start = self.rebnconvin(features)
        skips, features = [], start
        for number in range(1, depth):
            features = self.get_submodule(f"rebnconv{number}")(features)
            skips.append(features)
            if not flat and number < depth - 1:
                features = _halve(features)
        features = self.get_submodule(f"rebnconv{depth}")(features)
        while skips:
            number, skip = len(skips), skips.pop()
            joined = torch.cat([_enlarge(features, skip), skip], dim=1)
            features = self.get_submodule(f"rebnconv{number}d")(joined)
        summed: Tensor = features + start
        return summed


class DilatedConvolution(nn.Module):
    """A 3×3 convolution, norm and ReLU."""

    def __init__(self, before: int, after: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(after)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, after, H, W)."""
        result: Tensor = F.relu(self.bn_s1(self.conv_s1(features)))
        return result


def _dilation(design: BlockDesign, number: int) -> int:
    """Return the dilation of a block's `number`th convolution, counted from 1."""
    if design.flat:
        return FLAT_DILATIONS[number - 1]
    return 2 if number == design.depth else 1


def _halve(features: Tensor) -> Tensor:
    """Return features at half the size, odd sizes rounded up."""
    return F.max_pool2d(features, 2, stride=2, ceil_mode=True)


def _enlarge(features: Tensor, like: Tensor) -> Tensor:
    """Return features at the height and width of others."""
    return F.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=False)
