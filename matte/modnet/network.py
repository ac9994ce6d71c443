"""MODNet as a torch module, equal to the released one: same keys, same function.

Z. Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition", 2022.
Three branches: a low-resolution one finds where the person is (semantic), a high-resolution one
the soft edge (detail), and a third fuses both into alpha (matte).
"""

from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from matte.errors import SettingError
from matte.modnet.adapter import DEFAULT_SIDE
from matte.modnet.backbones import RELEASED, BackboneFeatures, build_backbone
from matte.registry import nearest

KIND = "modnet"
WIDE, NARROW = 96, 32  # channels at 1/16, and from 1/8 upwards, at width 1
STEP = 8  # channels are a multiple of this


class Branches(NamedTuple):
    """The maps of the three branches, all 0 … 1."""

    semantic: torch.Tensor  # (N, 1, H / 16, W / 16)
    detail: torch.Tensor  # (N, 1, H, W), right near the soft edge only
    matte: torch.Tensor  # (N, 1, H, W)


@dataclass(frozen=True, slots=True)
class ModnetInfo:
    """The architecture of a MODNet: encoder, context, width of the branches, and size.

    `encoder`: `mobilenetv2` or a timm encoder. `context`: the released `se_block` or the paper's
    `e_aspp`. `width`: the branches' scale, 1 as released. `size`: the short side in training.
    """

    encoder: str = RELEASED
    context: str = "se_block"
    width: float = 1.0
    size: int = DEFAULT_SIDE

    def __post_init__(self) -> None:
        if not 0 < self.width <= 4:
            raise SettingError(f"width = {self.width}", "give a number above 0, up to 4")

    @property
    def wide(self) -> int:
        """The channels at 1/16."""
        return _scale_channels(WIDE, self.width)

    @property
    def narrow(self) -> int:
        """The channels from 1/8 upwards."""
        return _scale_channels(NARROW, self.width)


class ModnetNetwork(nn.Module):
    """Alpha of people in RGB pictures from −1 … 1: (N, 3, H, W) to (N, 1, H, W) in 0 … 1.

    H and W are multiples of 32. The range is the official files', so that those and networks
    exported from here stand in for each other.
    """

    def __init__(self, info: ModnetInfo) -> None:
        super().__init__()
        self.info = info
        self.backbone = build_backbone(info.encoder)
        half, quarter, deep = self.backbone.channels
        self.lr_branch = SemanticBranch(deep, info)
        self.hr_branch = DetailBranch(half, quarter, info.narrow)
        self.f_branch = FusionBranch(info.narrow)

    # Named as in the authors' ONNX files, so that every runtime is fed alike.
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  # see above
        """Return the matte alone; maps that only training needs are not computed."""
        features = self.backbone(input)
        eighth = self.lr_branch(features.deep)
        half = self.hr_branch(input, features, eighth)
        matte: torch.Tensor = self.f_branch(input, eighth, half)
        return matte

    def branches(self, image: torch.Tensor) -> Branches:
        """Return the maps of all three branches, each for its loss."""
        features = self.backbone(image)
        eighth = self.lr_branch(features.deep)
        half = self.hr_branch(image, features, eighth)
        return Branches(
            self.lr_branch.semantic(eighth),
            self.hr_branch.detail(image, half),
            self.f_branch(image, eighth, half),
        )


def build_network(info: ModnetInfo | None = None) -> ModnetNetwork:
    """Build a network with random weights; by default of the released design."""
    return ModnetNetwork(info or ModnetInfo())


class SemanticBranch(nn.Module):
    """The branch that finds where the person is, from the deepest features."""

    def __init__(self, channels: int, info: ModnetInfo) -> None:
        super().__init__()
        if info.context not in CONTEXTS:
            raise SettingError(f"no context {info.context!r}", nearest(info.context, CONTEXTS))
        self._context = info.context
        self.add_module(info.context, CONTEXTS[info.context](channels))
        self.conv_lr16x = Convolution(channels, info.wide, 5)
        self.conv_lr8x = Convolution(info.wide, info.narrow, 5)
        self.conv_lr = Convolution(info.narrow, 1, 3, stride=2, plain=True)

    def forward(self, deep: torch.Tensor) -> torch.Tensor:
        """Return features (N, narrow, H / 8, W / 8) of the deepest (N, C, H / 32, W / 32)."""
        gathered = self.get_submodule(self._context)(deep)
        sixteenth = self.conv_lr16x(_resize(gathered, 2))
        eighth: torch.Tensor = self.conv_lr8x(_resize(sixteenth, 2))
        return eighth

    def semantic(self, eighth: torch.Tensor) -> torch.Tensor:
        """Return the probability of the person, (N, 1, H / 16, W / 16)."""
        return torch.sigmoid(self.conv_lr(eighth))


class DetailBranch(nn.Module):
    """The branch of the soft edge, from picture and first features, guided by the semantic one."""

    def __init__(self, half: int, quarter: int, narrow: int) -> None:
        super().__init__()
        self.tohr_enc2x = Convolution(half, narrow, 1)
        self.conv_enc2x = Convolution(narrow + 3, narrow, 3, stride=2)
        self.tohr_enc4x = Convolution(quarter, narrow, 1)
        self.conv_enc4x = Convolution(2 * narrow, 2 * narrow, 3)
        self.conv_hr4x = nn.Sequential(
            Convolution(3 * narrow + 3, 2 * narrow, 3),
            Convolution(2 * narrow, 2 * narrow, 3),
            Convolution(2 * narrow, narrow, 3),
        )
        self.conv_hr2x = nn.Sequential(
            Convolution(2 * narrow, 2 * narrow, 3),
            Convolution(2 * narrow, narrow, 3),
            Convolution(narrow, narrow, 3),
            Convolution(narrow, narrow, 3),
        )
        self.conv_hr = nn.Sequential(
            Convolution(narrow + 3, narrow, 3), Convolution(narrow, 1, 1, plain=True)
        )

    def forward(
        self, image: torch.Tensor, features: BackboneFeatures, eighth: torch.Tensor
    ) -> torch.Tensor:
        """Return the edge features (N, narrow, H / 2, W / 2)."""
        at_half = self.tohr_enc2x(features.half)
        fine = self.conv_enc2x(torch.cat((_resize(image, 0.5), at_half), 1))
        fine = self.conv_enc4x(torch.cat((fine, self.tohr_enc4x(features.quarter)), 1))
        guided = torch.cat((fine, _resize(eighth, 2), _resize(image, 0.25)), 1)
        fine = _resize(self.conv_hr4x(guided), 2)
        found: torch.Tensor = self.conv_hr2x(torch.cat((fine, at_half), 1))
        return found

    def detail(self, image: torch.Tensor, half: torch.Tensor) -> torch.Tensor:
        """Return alpha near the soft edge, (N, 1, H, W)."""
        return torch.sigmoid(self.conv_hr(torch.cat((_resize(half, 2), image), 1)))


class FusionBranch(nn.Module):
    """The branch that makes alpha of the other two's features."""

    def __init__(self, narrow: int) -> None:
        super().__init__()
        self.conv_lr4x = Convolution(narrow, narrow, 5)
        self.conv_f2x = Convolution(2 * narrow, narrow, 3)
        self.conv_f = nn.Sequential(
            Convolution(narrow + 3, narrow // 2, 3), Convolution(narrow // 2, 1, 1, plain=True)
        )

    def forward(
        self, image: torch.Tensor, eighth: torch.Tensor, half: torch.Tensor
    ) -> torch.Tensor:
        """Return the alpha (N, 1, H, W)."""
        quarter = self.conv_lr4x(_resize(eighth, 2))
        fused = self.conv_f2x(torch.cat((_resize(quarter, 2), half), 1))
        return torch.sigmoid(self.conv_f(torch.cat((_resize(fused, 2), image), 1)))


class Convolution(nn.Module):
    """A convolution that keeps the size but for its stride, then IBNorm and ReLU unless plain."""

    def __init__(
        self, width: int, channels: int, kernel: int, *, stride: int = 1, plain: bool = False
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(width, channels, kernel, stride, kernel // 2)
        # Torch's own start shrinks the signal until the norms see rounding errors only.
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        after = () if plain else (IBNorm(channels), nn.ReLU())
        self.layers = nn.Sequential(convolution, *after)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels, H / stride, W / stride) of values (N, width, H, W)."""
        found: torch.Tensor = self.layers(values)
        return found


class IBNorm(nn.Module):
    """Half of the channels normalised over the batch, the other half within each picture.

    The picture's mean and variance are written out, in float32 at least: as an operator of its
    own, InstanceNormalization is slow in TensorRT and inexact in half precision.
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._half = channels // 2
        self.bnorm = nn.BatchNorm2d(self._half)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values (N, C, H, W): half the channels batch-normed, half instance-normed."""
        batch = self.bnorm(values[:, : self._half])
        own = values[:, self._half :]
        own = own.float() if own.dtype in (torch.float16, torch.bfloat16) else own
        centred = own - own.mean((2, 3), keepdim=True)
        variance = centred.square().mean((2, 3), keepdim=True)
        own = centred * torch.rsqrt(variance + self.EPSILON)
        return torch.cat((batch, own.to(values.dtype)), 1)


class SqueezeExcite(nn.Module):
    """Channels weighted by what the whole picture holds: the released code's context."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 4, bias=False),
            nn.ReLU(),
            nn.Linear(channels // 4, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values, each channel weighted by what the whole picture holds."""
        weights: torch.Tensor = self.fc(values.mean((2, 3)))
        return values * weights[:, :, None, None]


class EfficientAspp(nn.Module):
    """The paper's e-ASPP: wide neighbourhoods at a hundredth of ASPP's cost.

    A quarter of the channels; in each of them alone atrous convolutions at several rates, fused
    before the channels are. That fusion is a weighted sum for each channel, and so are the
    convolutions: their kernels hold its weights. The norms are the batch's: at 1/32 a small
    picture has a few pixels only, or one, too few for statistics of its own.
    """

    RATES = (1, 6, 12, 18)

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 4
        self.compress = _pointwise_convolution(channels, inner)
        self.atrous = nn.ModuleList(
            nn.Conv2d(inner, inner, 3, padding=rate, dilation=rate, groups=inner, bias=False)
            for rate in self.RATES
        )
        self.norm = nn.Sequential(nn.BatchNorm2d(inner), nn.ReLU())
        self.fuse = _pointwise_convolution(inner, inner)
        self.recover = _pointwise_convolution(inner, channels)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the input's shape, gathered from neighbourhoods of several widths."""
        small = self.compress(values)
        scales = reduce(torch.add, [atrous(small) for atrous in self.atrous])
        found: torch.Tensor = self.recover(self.fuse(self.norm(scales)))
        return found


CONTEXTS: dict[str, type[nn.Module]] = {"e_aspp": EfficientAspp, "se_block": SqueezeExcite}


def _pointwise_convolution(width: int, channels: int) -> nn.Sequential:
    """Build a 1 × 1 convolution of `width` to `channels` channels, batch norm and ReLU."""
    convolution = nn.Conv2d(width, channels, 1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())


def _scale_channels(full: int, width: float) -> int:
    """Return the channels at this width: a multiple of STEP, at least STEP."""
    return max(STEP, STEP * round(full * width / STEP))


def _resize(values: torch.Tensor, factor: float) -> torch.Tensor:
    """Return values resized bilinearly by `factor`."""
    return F.interpolate(values, scale_factor=factor, mode="bilinear", align_corners=False)
