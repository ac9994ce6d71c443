"""LikeUnet: a slim, deep UNet for portraits, as the humanMatting project designed it.

Five levels of one convolution each. A level's skip is what its pooling gave, so that the encoder's
full size is never joined to the decoder's. The original's transposed convolutions of stride 1 are
convolutions here, which are the same with their kernels turned by half a circle.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.01  # of the newest batch
HEAD_CHANNELS = 8
CLASSES = 2  # background and person


class ParallelConvolution(nn.Module):
    """A 3×3 convolution in training, with a 1×3 and a 3×1 one beside it that are added.

    X. Ding et al., "ACNet: Strengthening the Kernel Skeletons for Powerful CNN via Asymmetric
    Convolution Blocks", 2019; here the norm comes after the sum.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.square = nn.Conv2d(before, after, 3, padding=1)
        self.row = nn.Conv2d(before, after, (1, 3), padding=(0, 1))
        self.column = nn.Conv2d(before, after, (3, 1), padding=(1, 0))

    def forward(self, features: Tensor) -> Tensor:
        """Return the sum of the three convolutions, (N, after, H, W)."""
        summed: Tensor = self.square(features) + self.row(features) + self.column(features)
        return summed

    @torch.no_grad()
    def fuse(self) -> nn.Conv2d:
        """Return the one 3×3 convolution that computes the same."""
        fused = nn.Conv2d(self.square.in_channels, self.square.out_channels, 3, padding=1)
        fused.weight.copy_(self.square.weight)
        fused.weight[:, :, 1, :] += self.row.weight[:, :, 0, :]
        fused.weight[:, :, :, 1] += self.column.weight[:, :, :, 0]
        assert fused.bias is not None
        biases = [c.bias for c in (self.square, self.row, self.column) if c.bias is not None]
        fused.bias.copy_(torch.stack(list(biases)).sum(0))
        return fused


class LikeUnet(nn.Module):
    """Logits (N, 1, H, W) of pictures (N, C, H, W) in 0 … 255, H and W multiples of 32.

    They are the person's logit less the background's: its two-class softmax is their sigmoid.
    """

    def __init__(
        self,
        colours: int,
        encoder: Sequence[int],
        decoder: Sequence[tuple[int, int]],
        first: int = 0,
        norms: bool = False,
        branches: bool = False,
    ) -> None:
        """`decoder`: channels of each level's two convolutions. `first`: of one before the levels.

        `norms`: a norm behind each convolution, instead of one behind the last pooling.
        `branches`: parallel kernels, for training; see `fuse_branches`.
        """
        super().__init__()
        self.first = _convolution(colours, first) if first else None
        before = first or colours
        down = []
        for after in encoder:
            down.append(_level(before, after, norms, branches))
            before = after
        self.down = nn.ModuleList(down)
        self.norm = None if norms else _norm(before)
        skips = (0, *reversed(encoder[:-1]))
        up = []
        for skip, (middle, after) in zip(skips, decoder, strict=True):
            up.append(
                nn.Sequential(
                    _level(before + skip, middle, norms, branches),
                    _level(middle, after, norms, branches=False),
                )
            )
            before = after
        self.up = nn.ModuleList(up)
        self.head = _convolution(before, HEAD_CHANNELS)
        self.classes = nn.Conv2d(HEAD_CHANNELS, CLASSES, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """Return the logits (N, 1, H, W)."""
        features = picture if self.first is None else F.relu(self.first(picture))
        skips = []
        for level in self.down:
            features = F.max_pool2d(level(features), 2)
            skips.append(features)
        if self.norm is not None:
            features = self.norm(features)
        skips.pop()
        for number, level in enumerate(self.up):
            if number:
                features = torch.cat([skips.pop(), features], dim=1)
            features = F.interpolate(
                level(features), scale_factor=2, mode="bilinear", align_corners=False
            )
        classes: Tensor = self.classes(F.relu(self.head(features)))
        return classes[:, 1:] - classes[:, :1]


def fuse_branches(network: nn.Module) -> None:
    """Replace a network's parallel kernels by single ones; it computes the same."""
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, ParallelConvolution):
                setattr(module, name, child.fuse())


def _level(before: int, after: int, norms: bool, branches: bool) -> nn.Sequential:
    """Build a 3×3 convolution, a norm if there are `norms`, and ReLU."""
    kernel = ParallelConvolution(before, after) if branches else _convolution(before, after)
    return nn.Sequential(kernel, *([_norm(after)] if norms else []), nn.ReLU())


def _convolution(before: int, after: int) -> nn.Conv2d:
    """Build a 3×3 convolution that keeps the size."""
    return nn.Conv2d(before, after, 3, padding=1)


def _norm(channels: int) -> nn.BatchNorm2d:
    """Build a batch norm with the original's constants."""
    return nn.BatchNorm2d(channels, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)
