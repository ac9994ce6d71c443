"""Mobile-UNet: half a MobileNetV2, and a decoder that joins its expanded features.

Made for portraits of 128 × 128 on phones. The skips are taken inside a block, behind the 1×1
convolution that expands its channels and before it halves the size.
"""

from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BACKBONE = "mobilenetv2_050"
BOTTLENECK_CHANNELS = 160
SKIPS = {1: 48, 2: 96, 3: 96, 5: 288}  # stages whose first block gives a skip, and its channels
DECODER_CHANNELS = (512, 256, 128, 64)
LAST_CHANNELS = 32
DROPOUT = 0.5


class MobileUnet(nn.Module):
    """Logits (N, 1, H, W) of pictures (N, 3, H, W) in −1 … 1, H and W multiples of 32."""

    def __init__(self, transposed: bool = True, dropout: float = DROPOUT) -> None:
        """`transposed`: the decoder enlarges by transposed convolutions, else bilinearly."""
        super().__init__()
        self.encoder = MobileEncoder()
        before = BOTTLENECK_CHANNELS
        stages = []
        for after, skip in zip(DECODER_CHANNELS, reversed(SKIPS.values()), strict=True):
            stages.append(_enlarging_stage(before, after, transposed, dropout))
            before = after + skip
        self.decoder = nn.ModuleList(stages)
        self.last = _enlarging_stage(before, LAST_CHANNELS, transposed, 0)
        self.head = nn.Conv2d(LAST_CHANNELS, 1, 1)
        for module in (*self.decoder.modules(), *self.last.modules()):
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, picture: Tensor) -> Tensor:
        """Return the logits (N, 1, H, W)."""
        *skips, features = self.encoder(picture)
        for stage in self.decoder:
            features = torch.cat([stage(features), skips.pop()], dim=1)
        logits: Tensor = self.head(self.last(features))
        return logits


class MobileEncoder(nn.Module):
    """A MobileNetV2 of half width without its last convolution, from random weights."""

    def __init__(self) -> None:
        super().__init__()
        whole: Any = timm.create_model(BACKBONE, pretrained=False)
        self.conv_stem: nn.Module = whole.conv_stem
        self.bn1: nn.Module = whole.bn1
        self.blocks: nn.Sequential = whole.blocks

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Return expanded features at 1/2, 1/4, 1/8 and 1/16 of the size, and the last at 1/32."""
        features = self.bn1(self.conv_stem(picture))
        found = []
        for number, stage in enumerate(self.blocks):
            if number in SKIPS:
                first: Any = stage[0]  # type: ignore[index]  # an nn.Sequential
                found.append(first.bn1(first.conv_pw(features)))
            features = stage(features)
        return [*found, features]


class BilinearConvolution(nn.Module):
    """Twice the size by interpolation, and then a 3×3 convolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, after, 2 H, 2 W)."""
        large = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
        result: Tensor = self.convolution(large)
        return result


def _enlarging_stage(before: int, after: int, transposed: bool, dropout: float) -> nn.Sequential:
    """Build a stage that doubles the size: convolution, norm, dropout if any, ReLU."""
    enlarge: nn.Module = (
        nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
        if transposed
        else BilinearConvolution(before, after)
    )
    drop = [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(enlarge, nn.BatchNorm2d(after), *drop, nn.ReLU())
