"""The encoders of MODNet: features of a picture at a half, a quarter and 1/32 of its size."""

import difflib
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from matte.errors import BackendError, SettingError

RELEASED = "mobilenetv2"  # the encoder of the released weights; every other name is timm's
STRIDES = (2, 4, 32)
# (expansion, channels, blocks, first stride): table 2 of M. Sandler et al., "MobileNetV2:
# Inverted Residuals and Linear Bottlenecks", 2018.
MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
HALF, QUARTER = 2, 4  # the first two features lie before these blocks


class BackboneFeatures(NamedTuple):
    """The features of an encoder that the branches use, each (N, C, H / stride, W / stride)."""

    half: torch.Tensor
    quarter: torch.Tensor
    deep: torch.Tensor


class Backbone(nn.Module):
    """An encoder; `channels` says how many each of its features has."""

    channels: tuple[int, int, int]

    def forward(self, image: torch.Tensor) -> BackboneFeatures:
        """Return the features of pictures (N, 3, H, W), H and W multiples of 32."""
        raise NotImplementedError


def build_backbone(encoder: str) -> Backbone:
    """Build the encoder of that name, with random weights."""
    return MobileNetV2Backbone() if encoder == RELEASED else TimmBackbone(encoder)


class MobileNetV2Backbone(Backbone):
    """MobileNetV2 down to its 1280 channels, without the classifier."""

    channels = (16, 24, 1280)

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [nn.Sequential(*_convolution(3, 32, kernel=3, stride=2))]
        width = 32
        for expansion, channels, repeats, first_stride in MOBILENET_V2:
            for index in range(repeats):
                stride = first_stride if index == 0 else 1
                blocks.append(InvertedResidual(width, channels, stride, expansion))
                width = channels
        blocks.append(nn.Sequential(*_convolution(width, self.channels[-1], kernel=1)))
        self.model = nn.Module()
        self.model.features = nn.Sequential(*blocks)

    def forward(self, image: torch.Tensor) -> BackboneFeatures:
        """Return the features at 1/2, 1/4 and 1/32."""
        blocks = self.model.features
        assert isinstance(blocks, nn.Sequential)
        half = blocks[:HALF](image)
        quarter = blocks[HALF:QUARTER](half)
        return BackboneFeatures(half, quarter, blocks[QUARTER:](quarter))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: expand, filter each channel, project; plus the input if shapes agree."""

    def __init__(self, width: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        expand = _convolution(width, inner, kernel=1) if expansion > 1 else []
        within = _convolution(inner, inner, kernel=3, stride=stride, groups=inner)
        project = _convolution(inner, channels, kernel=1)[:2]  # without ReLU
        self.conv = nn.Sequential(*expand, *within, *project)
        self.adds = stride == 1 and width == channels

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return features (N, channels, H / stride, W / stride) of values (N, width, H, W)."""
        found: torch.Tensor = self.conv(values)
        return values + found if self.adds else found


def _convolution(
    width: int, channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Return the layers of a convolution with batch norm and ReLU6."""
    convolution = nn.Conv2d(width, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU6()]


class TimmBackbone(Backbone):
    """Any of timm's encoders that take pictures of any size and halve them down to 1/32.

    Those whose first feature lies at a quarter (ConvNeXt) lend no feature at the half: there
    the picture itself, halved, stands for it.
    """

    def __init__(self, encoder: str) -> None:
        super().__init__()
        self.model, strides, channels, self._channels_last = _timm_encoder(encoder)
        wanted = STRIDES if STRIDES[0] in strides else STRIDES[1:]
        if not set(wanted) <= set(strides):
            raise SettingError(
                f"encoder {encoder!r} has features at 1/{', 1/'.join(map(str, strides))}",
                "MODNet needs one with 1/4 and 1/32",
            )
        # The last of each stride: the deepest one before the next halving.
        last = {stride: index for index, stride in enumerate(strides)}
        self._levels = [last[stride] for stride in wanted]
        lent = [3] if len(wanted) < len(STRIDES) else []
        half, quarter, deep = lent + [channels[level] for level in self._levels]
        self.channels = (half, quarter, deep)
        self._refuse_fixed_size(encoder)

    def forward(self, image: torch.Tensor) -> BackboneFeatures:
        """Return the features at 1/2, 1/4 and 1/32."""
        found = self.model(image)
        features = [found[level] for level in self._levels]
        if self._channels_last:
            features = [f.permute(0, 3, 1, 2) for f in features]
        if len(features) < len(STRIDES):
            features.insert(0, F.interpolate(image, scale_factor=0.5, mode="bilinear"))
        return BackboneFeatures(*features)

    def _refuse_fixed_size(self, encoder: str) -> None:
        """Raise if the encoder can't take pictures of any size, or has other strides."""
        remedy = "choose one that takes pictures of any size, such as mobilenetv3_large_100"
        training, height, width = self.training, 64, 96
        try:
            with torch.inference_mode():
                features = self.eval()(torch.zeros(1, 3, height, width))
        # An encoder says in its own way that it can't: assertions, sizes that don't agree.
        except Exception as error:
            raise SettingError(
                f"encoder {encoder!r} can't take {width}×{height}", remedy
            ) from error
        finally:
            self.train(training)
        for feature, channels, stride in zip(features, self.channels, STRIDES, strict=True):
            if feature.shape != (1, channels, height // stride, width // stride):
                raise SettingError(
                    f"encoder {encoder!r} makes {tuple(feature.shape)} of {width}×{height}", remedy
                )


def _timm_encoder(name: str) -> tuple[nn.Module, list[int], list[int], bool]:
    """Build a timm encoder; return it, its strides and channels, and if channels are last."""
    try:
        import timm
    except ImportError as error:
        raise BackendError(f"encoder {name!r} needs timm", "pip install timm") from error
    # Asked first: create_model would fetch names like hf-hub:… from the network.
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, [RELEASED, *timm.list_models()], n=2)
        raise SettingError(
            f"no encoder {name!r}",
            f"did you mean {' or '.join(close)}?" if close else "timm.list_models() tells all",
        )
    try:
        model = timm.create_model(name, pretrained=False, features_only=True)
    # timm has no common class for "this one has no features".
    except Exception as error:
        raise SettingError(
            f"encoder {name!r} gives no features", "choose another of timm's"
        ) from error
    layout = getattr(getattr(model, "output_fmt", None), "value", "NCHW")
    features: Any = model.feature_info
    return model, features.reduction(), features.channels(), layout == "NHWC"
