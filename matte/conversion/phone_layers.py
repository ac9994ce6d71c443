"""Layers that LiteRT can't convert, replaced by others that compute the same."""

import torch
from torch import Tensor, nn

from matte.segmentation.deeplab_unet import CONTEXT_CHANNELS, PictureContext


class SummedContext(nn.Module):
    """A DeepLab's context without repeating the picture's mean, which LiteRT can't do.

    The convolution of both joined is the sum of one for each.
    """

    def __init__(self, context: PictureContext) -> None:
        super().__init__()
        convolution, *rest = context.project
        assert isinstance(convolution, nn.Conv2d)
        self.point, self.pool, self.rest = context.point, context.pool, nn.Sequential(*rest)
        weight = convolution.weight.detach()
        self.of_mean, self.of_point = (
            nn.Conv2d(CONTEXT_CHANNELS, CONTEXT_CHANNELS, 1, bias=bias) for bias in (True, False)
        )
        self.of_mean.weight = nn.Parameter(weight[:, :CONTEXT_CHANNELS].clone())
        self.of_point.weight = nn.Parameter(weight[:, CONTEXT_CHANNELS:].clone())
        assert self.of_mean.bias is not None
        with torch.no_grad():
            bias = convolution.bias
            self.of_mean.bias.copy_(torch.zeros(CONTEXT_CHANNELS) if bias is None else bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, 256, H, W) as `PictureContext` does."""
        mean = self.of_mean(self.pool(features.mean(dim=(2, 3), keepdim=True)))
        joined: Tensor = self.rest(self.of_point(self.point(features)) + mean)
        return joined


class CroppedTransposition(nn.Module):
    """A transposed convolution whose padding is cut off afterwards: LiteRT knows none."""

    def __init__(self, convolution: nn.ConvTranspose2d) -> None:
        super().__init__()
        before, after = convolution.in_channels, convolution.out_channels
        self.convolution = nn.ConvTranspose2d(before, after, 3, stride=2)
        self.convolution.load_state_dict(convolution.state_dict())

    def forward(self, features: Tensor) -> Tensor:
        """Return features of twice the size."""
        large: Tensor = self.convolution(features)
        return large[:, :, 1:, 1:]


def replace_for_phones(network: nn.Module) -> None:
    """Replace layers that LiteRT can't convert by others that compute the same."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, PictureContext):
                setattr(module, name, SummedContext(child))
            elif isinstance(child, nn.ConvTranspose2d) and child.output_padding == (1, 1):
                setattr(module, name, CroppedTransposition(child))
