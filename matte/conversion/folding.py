"""Networks as they are stored: norms are parts of convolutions, weights as precise as float16."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


@torch.no_grad()
def norm_pairs(network: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, str]:
    """The names of the convolutions whose outputs batch norms take, each with its norm's.

    `inputs`: what `network`, in evaluation mode, is called with to find out.
    """
    outputs: list[tuple[Tensor, str]] = []
    pairs: dict[str, str] = {}

    def made(name: str, output: Tensor) -> None:
        outputs.append((output, name))

    def taken(name: str, given: Tensor) -> None:
        pairs.update({before: name for output, before in outputs if output is given})

    def watch(name: str, module: nn.Module) -> Any:
        if isinstance(module, nn.BatchNorm2d):
            return module.register_forward_pre_hook(lambda _, given: taken(name, given[0]))
        return module.register_forward_hook(lambda _, __, output: made(name, output))

    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    handles = [watch(n, m) for n, m in network.named_modules() if isinstance(m, kinds)]
    network(**inputs)
    for handle in handles:
        handle.remove()
    return pairs


def fold_batch_norms(network: nn.Module, inputs: Mapping[str, Tensor]) -> nn.Module:
    """A copy in evaluation mode, in which every norm right behind a convolution is a part of it.

    `inputs` as in `norm_pairs`.
    """
    folded = copy.deepcopy(network).eval()
    for before, behind in norm_pairs(folded, inputs).items():
        convolution, norm = folded.get_submodule(before), folded.get_submodule(behind)
        assert isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d)
        # timm's norms hold the activation too.
        rest = norm.act if isinstance(norm, BatchNormAct2d) else nn.Identity()
        transposed = isinstance(convolution, nn.ConvTranspose2d)
        fused = fuse_conv_bn_eval(convolution, norm, transpose=transposed)
        folded.set_submodule(before, fused)
        folded.set_submodule(behind, rest)
    return folded


@torch.no_grad()
def round_weights_to_half(network: nn.Module) -> nn.Module:
    """A copy whose weights float16 can hold exactly; biases and norms stay as they are."""
    rounded = copy.deepcopy(network)
    for parameter in rounded.parameters():
        if parameter.ndim > 1:
            parameter.copy_(parameter.half().float())
    return rounded
