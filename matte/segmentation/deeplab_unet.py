"""A UNet with the receptive field of a DeepLab: its decoder starts from DeepLabV3's context.

L.-C. Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, in the
form that its authors gave to MobileNetV2: stride 16, no atrous branches, the whole picture's mean.
Its convolutions are those of the released networks, in their order (see `matte.training.start`).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from segmentation_models_pytorch.base import SegmentationHead
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from segmentation_models_pytorch.encoders import get_encoder
from torch import Tensor, nn

CONTEXT_CHANNELS = 256
BAND_CHANNELS = 16


class DeepLabUnet(nn.Module):
    """Logits (N, classes, H, W) of pictures (N, 3, H, W) in −1 … 1, H and W multiples of 32.

    They are computed at half the size: what is finer is the trimap's band anyway. With `band` one
    more map follows: logits of the places where the subject's edge is soft.
    """

    def __init__(
        self,
        encoder_name: str,
        encoder_weights: str | None,
        decoder_channels: Sequence[int],
        classes: int,
        band: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = get_encoder(encoder_name, weights=encoder_weights, output_stride=16)
        channels = (*self.encoder.out_channels[:-1], CONTEXT_CHANNELS)
        self.context = PictureContext(self.encoder.out_channels[-1])
        self.decoder = UnetDecoder(channels, decoder_channels, len(decoder_channels))
        self.head = SegmentationHead(decoder_channels[-1], classes)
        # Made last: trainings freeze a network's first layers.
        self.band = BandHead(decoder_channels, classes) if band else None

    def forward(self, picture: Tensor) -> Tensor:
        """Return the logits (N, classes, H, W)."""
        features = self.encoder(picture)
        features[-1] = self.context(features[-1])
        decoded = self._decode(features)
        half = self.head(decoded[-1])
        if self.band is not None:
            half = torch.cat([half, self.band(decoded, half)], dim=1)
        # The library's own enlargement aligns corners, which moves edges by up to half a pixel.
        return F.interpolate(half, scale_factor=2, mode="bilinear", align_corners=False)

    def _decode(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return what each block of the decoder gives, from coarse to fine."""
        shapes = [each.shape[2:] for each in reversed(features)]
        skips: list[Tensor | None] = list(reversed(features[1:]))
        decoded = [self.decoder.center(skips[0])]
        skips += [None] * len(self.decoder.blocks)
        for block, shape, skip in zip(self.decoder.blocks, shapes[1:], skips[1:], strict=False):
            decoded.append(block(decoded[-1], *shape, skip_connection=skip))
        return decoded[1:]


class BandHead(nn.Module):
    """Tells from all of a decoder's blocks, and from the mask, where the subject's edge is soft."""

    def __init__(self, decoder_channels: Sequence[int], classes: int) -> None:
        super().__init__()
        channels = (*decoder_channels, classes)
        self.points = nn.ModuleList(nn.Conv2d(each, BAND_CHANNELS, 1) for each in channels)
        self.middle = nn.Conv2d(BAND_CHANNELS, BAND_CHANNELS, 3, padding=1)
        self.last = nn.Conv2d(BAND_CHANNELS, 1, 3, padding=1)

    def forward(self, decoded: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Return logits (N, 1, H, W) of the size of the mask's logits (N, classes, H, W).

        `decoded` are the decoder's features, each twice as large as the one before, the last of the
        mask's size.
        """
        joined = self.points[-1](mask.sigmoid())
        for doublings, at in enumerate(reversed(range(len(decoded)))):
            found = self.points[at](decoded[at])
            if doublings:
                found = F.interpolate(
                    found, scale_factor=2**doublings, mode="bilinear", align_corners=False
                )
            joined = joined + found
        band: Tensor = self.last(self.middle(joined.relu()).relu())
        return band


class PictureContext(nn.Module):
    """Features joined with their mean over the picture."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.point = _pointwise_convolution(features, CONTEXT_CHANNELS)
        self.pool = _pointwise_convolution(features, CONTEXT_CHANNELS)
        self.project = _pointwise_convolution(2 * CONTEXT_CHANNELS, CONTEXT_CHANNELS)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, 256, H, W) that join each place's own with the picture's mean."""
        mean = self.pool(features.mean(dim=(2, 3), keepdim=True)).expand(
            -1, -1, *features.shape[2:]
        )
        joined: Tensor = self.project(torch.cat([mean, self.point(features)], dim=1))
        return joined


def _pointwise_convolution(before: int, after: int) -> nn.Sequential:
    """Build a 1 × 1 convolution of `before` to `after` channels, batch norm and ReLU."""
    return nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
