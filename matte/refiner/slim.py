"""A slim matting network with guided contextual attention, made to be trained by anyone.

GCA's idea (see `attention.py`) in a UNet on MobileNetV2: hints of the known regions' colours are
an input, and the encoder can start from ImageNet, so that little data goes far.
M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matte.refiner.attention import AttentionContext, GuidedAttention
from matte.refiner.network import BACKGROUND_BELOW, SUBJECT_FROM
from matte.refiner.protocols import ATTENTION_STRIDE

ENCODER = "mobilenetv2_100"
STAGES = (1, 2, 3, 5, 7)  # the encoder's blocks up to here work at 1/2, 1/4, 1/8, 1/16 and 1/32
CHANNELS = (16, 24, 32, 96, 320)
DECODER = (96, 64, 48, 32, 16)
INPUTS = 3 + 3 + 7  # colours, trimap, hints
GUIDANCE = 64
LEVELS = 5


@dataclass(frozen=True, slots=True)
class SlimDesign:
    """The design of a slim network: with its attention, or the lighter twin without."""

    attention: bool = True


class SlimNetwork(nn.Module):
    """Alpha for pictures with trimaps, whose height and width are multiples of 32."""

    def __init__(self, design: SlimDesign | None = None) -> None:
        super().__init__()
        self.design = design or SlimDesign()
        self.encoder = SlimEncoder()
        self.guidance_head: nn.Sequential | None = None
        self.attention: nn.ModuleList | None = None
        if self.design.attention:
            self.guidance_head = nn.Sequential(
                _halving_convolution(3, 16),
                _halving_convolution(16, 32),
                _halving_convolution(32, GUIDANCE),
            )
            self.attention = nn.ModuleList(
                GuidedAttention(channels, GUIDANCE) for channels in (CHANNELS[2], DECODER[1])
            )
        self.shortcut = _convolution(INPUTS, DECODER[-1])
        before = (CHANNELS[-1], *DECODER[:-1])
        beside = (*CHANNELS[-2::-1], DECODER[-1])
        self.decoder = nn.ModuleList(
            nn.Sequential(_convolution(b + s, a), _convolution(a, a) if a > 16 else nn.Identity())
            for b, s, a in zip(before, beside, DECODER, strict=True)
        )
        self.last = nn.Conv2d(DECODER[-1], 1, 3, padding=1)

    def forward(self, image: Tensor, trimap: Tensor, unknown_ratio: Tensor | None = None) -> Tensor:
        """Return alpha (N, 1, H, W) in 0 … 1; 0 and 1 where the trimap is known.

        `image`: RGB 0 … 1, (N, 3, H, W). `trimap`: 0 background, 1 subject, the middle third
        unknown, (N, 1, H, W). `unknown_ratio`: (N,), the share of unknown in the whole picture, for
        pictures that are refined in parts; None, or a negative one: the trimap's own, over every
        16th row and column.
        """
        background, subject = trimap < BACKGROUND_BELOW, trimap >= SUBJECT_FROM
        known = [background.to(image.dtype), subject.to(image.dtype)]
        unknown = 1 - known[0] - known[1]
        normal = image * 2 - 1
        with torch.autocast(image.device.type, enabled=False):
            planes = torch.cat(
                [normal, known[0], unknown, known[1], colour_hints(image, *known)], dim=1
            )
        context = None
        if self.guidance_head is not None:
            places = unknown[:, :, ::ATTENTION_STRIDE, ::ATTENTION_STRIDE]
            ratio = places.float().flatten(1).mean(dim=1)
            if unknown_ratio is not None:
                ratio = torch.where(unknown_ratio < 0, ratio, unknown_ratio.to(ratio.dtype))
            context = AttentionContext(self.guidance_head(normal), places, ratio)
        alpha = (torch.tanh(self._decode(planes, context).float()) + 1) / 2
        return torch.where(unknown > 0, alpha, known[1].to(alpha.dtype))

    def _decode(self, planes: Tensor, context: AttentionContext | None) -> Tensor:
        """Return the logits (N, 1, H, W) of the planes, with attention if there is a context."""
        gather = self.attention if context is not None else None
        x = self.encoder.stem(planes)
        shortcuts = [self.shortcut(planes)]
        for level, stage in enumerate(self.encoder.stages):
            x = stage(x)
            if gather is not None and level == 2:
                x = gather[0](x, context)
            shortcuts.append(x)
        shortcuts.pop()
        for level, block in enumerate(self.decoder):
            doubled = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = block(torch.cat([doubled, shortcuts.pop()], dim=1))
            if gather is not None and level == 1:
                x = gather[1](x, context)
        logits: Tensor = self.last(x)
        return logits

    def set_queries(self, queries: int | None) -> None:
        """Set how many places the attention handles at once; None: half of the picture."""
        for module in self.modules():
            if isinstance(module, GuidedAttention):
                module.queries = queries


class SlimEncoder(nn.Module):
    """MobileNetV2 in the stages between which its size halves."""

    def __init__(self) -> None:
        super().__init__()
        whole: Any = timm.create_model(ENCODER, pretrained=False, in_chans=INPUTS)
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        cuts = (0, *STAGES)
        self.stages = nn.ModuleList(
            nn.Sequential(*whole.blocks[start:end]) for start, end in pairwise(cuts)
        )


def colour_hints(image: Tensor, background: Tensor, subject: Tensor) -> Tensor:
    """Return hints of the known colours nearby, (N, 7, H, W).

    They are the picture's difference from the subject's and from the background's, and the alpha
    that both imply.

    `background` and `subject` (N, 1, H, W) are 1 where the trimap says so, else 0.
    """
    image = image.float()
    # Where they are known, the picture does not differ from them.
    from_fore, from_back = (
        (1 - known.float()) * (image - extend_colours(image, known.float()))
        for known in (subject, background)
    )
    apart = from_back - from_fore
    along = (from_back * apart).sum(dim=1, keepdim=True)
    implied = along / ((apart * apart).sum(dim=1, keepdim=True) + 1e-3)
    return torch.cat([from_fore, from_back, implied.clamp(min=0.0).clamp(max=1.0)], dim=1)


def extend_colours(image: Tensor, known: Tensor) -> Tensor:
    """Extend the known colours smoothly to the whole picture, (N, 3, H, W) (pull-push).

    S. J. Gortler et al., "The Lumigraph", 1996, section 3.4.
    """
    colours, weights = [image * known], [known]
    for _ in range(LEVELS):
        colours.append(F.avg_pool2d(colours[-1], 2))
        weights.append(F.avg_pool2d(weights[-1], 2))
    everywhere = weights[-1].mean(dim=(2, 3), keepdim=True)
    filled = colours[-1].mean(dim=(2, 3), keepdim=True) / (everywhere + 1e-6)
    for colour, weight in zip(colours[:0:-1], weights[:0:-1], strict=True):
        trust = (4 * weight).clamp(max=1.0)
        filled = filled + trust * (colour / (weight + 1e-6) - filled)
        filled = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
    return filled


def _convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Build a 3 × 3 convolution with batch norm and ReLU."""
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU())


def _halving_convolution(before: int, after: int) -> nn.Sequential:
    """Build a 3 × 3 convolution that halves the size, with batch norm and ReLU."""
    return _convolution(before, after, 2)
