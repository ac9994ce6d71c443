"""Prepare networks for storage: batch norms folded into convolutions, weights rounded to half."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

MAX_HALF = 65504.0  # float16's largest number


@torch.no_grad()
def norm_pairs(network: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the names of convolutions whose outputs go into batch norms, each with its norm's.

    `inputs`: what `network`, in evaluation mode, is called with to find out.
    """
    outputs: list[tuple[Tensor, str]] = []
    pairs: dict[str, str] = {}

    def record_output(name: str, output: Tensor) -> None:
        outputs.append((output, name))

    def record_pair(name: str, inputs: Tensor) -> None:
        pairs.update({before: name for output, before in outputs if output is inputs})

    def add_hook(name: str, module: nn.Module) -> Any:
        if isinstance(module, nn.BatchNorm2d):
            return module.register_forward_pre_hook(lambda _, inputs: record_pair(name, inputs[0]))
        return module.register_forward_hook(lambda _, __, output: record_output(name, output))

    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)
    handles = [add_hook(n, m) for n, m in network.named_modules() if isinstance(m, kinds)]
    network(**inputs)
    for handle in handles:
        handle.remove()
    return pairs


def fold_batch_norms(network: nn.Module, inputs: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy in evaluation mode with every norm behind a convolution folded into it.

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
    """Return a copy whose weights float16 holds exactly; biases and norms stay as they are.

    So do weights beyond float16's range, as folded norms of channels that never change have them.
    """
    rounded = copy.deepcopy(network)
    for parameter in rounded.parameters():
        if parameter.ndim > 1 and fits_half(float(parameter.abs().max())):
            parameter.copy_(parameter.half().float())
    return rounded


def fits_half(largest: float) -> bool:
    """Return whether float16 holds a number of this size."""
    return largest <= MAX_HALF
