"""The GCA matting network, with and without its guided contextual attention.

Y. Li, H. Lu, "Natural Image Matting via Guided Contextual Attention", AAAI 2020. With `GcaDesign()`
the function and the names of the tensors are those of the released `resnet_gca_encoder_29` and
`res_gca_decoder_22`, without attention those of `res_shortcut_encoder_29` and
`res_shortcut_decoder_22`; spectral norms, which matter in training only, are folded.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from matte.errors import SettingError
from matte.refiner.attention import AttentionContext, GuidedAttention
from matte.refiner.protocols import ATTENTION_STRIDE

# Between the levels 84|85 and 169|170 of an 8-bit trimap.
BACKGROUND_BELOW, SUBJECT_FROM = 84.5 / 255, 169.5 / 255
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


@dataclass(frozen=True, slots=True)
class GcaDesign:
    """The design of a GCA network: the trimap's channels and the width of all others.

    `trimap_channels` 3 is one-hot, 1 is one plane of 0, 1, 2; `width` scales all channels.
    """

    attention: bool = True
    trimap_channels: int = 3
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.trimap_channels not in (1, 3):
            raise SettingError(f"trimap_channels = {self.trimap_channels}", "give 1 or 3")
        if not 0 < self.width <= 4:
            raise SettingError(f"width = {self.width}", "give a number above 0, at most 4")

    def channels(self, full: int) -> int:
        """Return the number of channels for `full` ones at width 1: a multiple of 8."""
        return max(8, 8 * round(full * self.width / 8))


class GcaNetwork(nn.Module):
    """Alpha for pictures with trimaps, whose height and width are multiples of 32.

    Every item of a batch gets what it would get alone.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, design: GcaDesign | None = None) -> None:
        super().__init__()
        self.design = design or GcaDesign()
        self.encoder = GcaEncoder(self.design)
        self.decoder = GcaDecoder(self.design)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        for module in self.modules():
            if isinstance(module, EncoderBlock | DecoderBlock):
                nn.init.zeros_(module.bn2.weight)  # blocks start as the identity

    def forward(self, image: Tensor, trimap: Tensor, unknown_ratio: Tensor | None = None) -> Tensor:
        """Return alpha (N, 1, H, W) in 0 … 1; 0 and 1 where the trimap is known.

        `image`: RGB 0 … 1, (N, 3, H, W). `trimap`: 0 background, 1 subject, the middle third
        unknown, (N, 1, H, W). `unknown_ratio`: (N,), the share of unknown in the whole picture, for
        pictures that are refined in parts; None, or a negative one: the trimap's own, over every
        16th row and column.
        """
        background, subject = trimap < BACKGROUND_BELOW, trimap >= SUBJECT_FROM
        unknown = (~(background | subject)).to(image.dtype)
        normal = (image - self.mean) / self.deviation
        planes = [background.to(image.dtype), unknown, subject.to(image.dtype)]
        if self.design.trimap_channels == 1:
            planes = [planes[1] + 2 * planes[2]]
        context = None
        if self.encoder.guidance_head is not None:
            places = unknown[:, :, ::ATTENTION_STRIDE, ::ATTENTION_STRIDE]
            ratio = places.float().flatten(1).mean(dim=1)
            if unknown_ratio is not None:
                ratio = torch.where(unknown_ratio < 0, ratio, unknown_ratio.to(ratio.dtype))
            context = AttentionContext(self.encoder.guidance_head(normal), places, ratio)
        features = self.encoder(torch.cat([normal, *planes], dim=1), context)
        alpha = (torch.tanh(self.decoder(features, context)) + 1) / 2
        return torch.where(unknown > 0, alpha, subject.to(alpha.dtype))

    def set_queries(self, queries: int | None) -> None:
        """Set how many places the attention handles at once; None: half of the picture."""
        for module in self.modules():
            if isinstance(module, GuidedAttention):
                module.queries = queries


class GcaFeatures(NamedTuple):
    """The encoder's features at 1/32, and its shortcuts at 1, 1/2, 1/4, 1/8 and 1/16."""

    deepest: Tensor
    shortcuts: list[Tensor]


class GcaEncoder(nn.Module):
    """Three convolutions, then stages of 3, 4, 4 and 2 residual blocks."""

    def __init__(self, design: GcaDesign) -> None:
        super().__init__()
        inputs = 3 + design.trimap_channels
        stem, a, b, c, d = (design.channels(n) for n in (32, 64, 128, 256, 512))
        self.conv1, self.bn1 = _convolution(inputs, stem, stride=2), nn.BatchNorm2d(stem)
        self.conv2, self.bn2 = _convolution(stem, stem), nn.BatchNorm2d(stem)
        self.conv3, self.bn3 = _convolution(stem, a, stride=2), nn.BatchNorm2d(a)
        self.layer1 = _encoder_stage(a, a, 3, halve=False)
        self.layer2 = _encoder_stage(a, b, 4)
        self.layer3 = _encoder_stage(b, c, 4)
        self.layer_bottleneck = _encoder_stage(c, d, 2)
        self.shortcut = nn.ModuleList(
            _shortcut(before, after)
            for before, after in ((inputs, stem), (stem, stem), (a, a), (b, b), (c, c))
        )
        self.guidance_head: nn.Sequential | None = None
        self.gca: GuidedAttention | None = None
        if design.attention:
            steps = [3, *(design.channels(n) for n in (16, 32, 128))]
            self.guidance_head = nn.Sequential(
                *(m for s in pairwise(steps) for m in _halving_layers(*s))
            )
            self.gca = GuidedAttention(b, steps[-1])

    def forward(self, planes: Tensor, context: AttentionContext | None) -> GcaFeatures:
        """Return the features of a picture and its trimap."""
        half = F.relu(self.bn1(self.conv1(planes)))
        half = F.relu(self.bn2(self.conv2(half)))
        quarter = self.layer1(F.relu(self.bn3(self.conv3(half))))
        eighth = self.layer2(quarter)
        if self.gca is not None:
            eighth = self.gca(eighth, context)
        sixteenth = self.layer3(eighth)
        levels = (planes, half, quarter, eighth, sixteenth)
        shortcuts = [head(level) for head, level in zip(self.shortcut, levels, strict=True)]
        return GcaFeatures(self.layer_bottleneck(sixteenth), shortcuts)


class GcaDecoder(nn.Module):
    """Stages of 2, 3, 3 and 2 residual blocks, each after doubling the size."""

    def __init__(self, design: GcaDesign) -> None:
        super().__init__()
        stem, a, b, c, d = (design.channels(n) for n in (32, 64, 128, 256, 512))
        self.layer1 = _decoder_stage(d, c, 2)
        self.layer2 = _decoder_stage(c, b, 3)
        self.layer3 = _decoder_stage(b, a, 3)
        self.layer4 = _decoder_stage(a, stem, 2)
        self.conv1, self.bn1 = _doubling_convolution(stem, stem), nn.BatchNorm2d(stem)
        self.conv2 = nn.Conv2d(stem, 1, 3, padding=1)
        self.gca = GuidedAttention(b, design.channels(128)) if design.attention else None

    def forward(self, features: GcaFeatures, context: AttentionContext | None) -> Tensor:
        """Return the logits (N, 1, H, W), which tanh turns into alpha."""
        full, half, quarter, eighth, sixteenth = features.shortcuts
        x = self.layer1(features.deepest) + sixteenth
        x = self.layer2(x) + eighth
        if self.gca is not None:
            x = self.gca(x, context)
        x = self.layer3(x) + quarter
        x = self.layer4(x) + half
        x = F.leaky_relu(self.bn1(self.conv1(x)), 0.2) + full
        logits: Tensor = self.conv2(x)
        return logits


class EncoderBlock(nn.Module):
    """Two convolutions beside a shortcut; `halve`s the size or keeps it."""

    def __init__(self, before: int, after: int, halve: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = _convolution(before, after, 2 if halve else 1), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = _convolution(after, after), nn.BatchNorm2d(after)
        self.downsample: nn.Module = nn.Identity()
        if halve:
            pointwise = nn.Conv2d(before, after, 1, bias=False)
            self.downsample = nn.Sequential(nn.AvgPool2d(2), pointwise, nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's features."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


class DecoderBlock(nn.Module):
    """Two convolutions beside a shortcut; `double`s the size or keeps it."""

    def __init__(self, before: int, after: int, double: bool) -> None:
        super().__init__()
        self.conv1 = (_doubling_convolution if double else _convolution)(before, before)
        self.bn1 = nn.BatchNorm2d(before)
        self.conv2, self.bn2 = _convolution(before, after), nn.BatchNorm2d(after)
        self.upsample: nn.Module = nn.Identity()
        if double:
            pointwise = nn.Conv2d(before, after, 1, bias=False)
            # The released code enlarges first: equal, but four times the work.
            self.upsample = nn.Sequential(
                nn.Identity(), pointwise, nn.BatchNorm2d(after), nn.Upsample(scale_factor=2)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's features."""
        y = self.bn2(self.conv2(F.leaky_relu(self.bn1(self.conv1(x)), 0.2)))
        return F.leaky_relu(y + self.upsample(x), 0.2)


def with_spectral_norm(network: GcaNetwork) -> GcaNetwork:
    """Return a copy for training, with convolutions divided by their largest singular values."""
    normed = copy.deepcopy(network)
    for _, convolution in spectral_convolutions(normed):
        # Rows are dimension 0 in the released code, of transposed convolutions too.
        spectral_norm(convolution, "weight", dim=0)
    return normed


def without_spectral_norm(network: GcaNetwork) -> GcaNetwork:
    """Return a copy in evaluation mode that gives the same alpha from plain weights."""
    # In training mode each look at a weight turns its singular vectors. And the network is a new
    # one because norms removed from a copy leave the original too: torch lets both share a class.
    still = copy.deepcopy(network).eval()
    state = still.state_dict()
    for name, convolution in spectral_convolutions(still):
        state[f"{name}.weight"] = convolution.weight
    plain = GcaNetwork(network.design).to(still.mean)
    plain.load_state_dict({key: state[key] for key in plain.state_dict()})
    return plain.eval()


def spectral_convolutions(
    network: GcaNetwork,
) -> Iterator[tuple[str, nn.Conv2d | nn.ConvTranspose2d]]:
    """Iterate over names and modules of the convolutions that are trained with a spectral norm."""
    for name, module in network.named_modules():
        # The attention's own convolutions and the last one, which has a bias, are free.
        convolution = isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
        if convolution and module.bias is None and ".gca." not in name:
            yield name, module


def _encoder_stage(before: int, after: int, count: int, halve: bool = True) -> nn.Sequential:
    """Build `count` encoder blocks, of which the first may halve the size."""
    first = EncoderBlock(before, after, halve)
    return nn.Sequential(first, *(EncoderBlock(after, after, False) for _ in range(count - 1)))


def _decoder_stage(before: int, after: int, count: int) -> nn.Sequential:
    """Build `count` decoder blocks, of which the first doubles the size."""
    first = DecoderBlock(before, after, True)
    return nn.Sequential(first, *(DecoderBlock(after, after, False) for _ in range(count - 1)))


def _shortcut(before: int, after: int) -> nn.Sequential:
    """Build the two convolutions of a shortcut from encoder to decoder."""
    return nn.Sequential(
        *(_convolution(before, after), nn.ReLU(), nn.BatchNorm2d(after)),
        *(_convolution(after, after), nn.ReLU(), nn.BatchNorm2d(after)),
    )


def _halving_layers(before: int, after: int) -> tuple[nn.Module, ...]:
    """Return the layers of a convolution that halves the size."""
    convolution = nn.Conv2d(before, after, 3, stride=2, bias=False)
    return nn.ReflectionPad2d(1), convolution, nn.ReLU(), nn.BatchNorm2d(after)


def _convolution(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    """Build a 3 × 3 convolution from `before` to `after` channels."""
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False)


def _doubling_convolution(before: int, after: int) -> nn.ConvTranspose2d:
    """Build a transposed convolution that doubles the size."""
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
