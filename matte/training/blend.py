"""Weights between those of a fine-tuned network and those it started from.

Fine-tuned on a few thousand pictures, a network forgets kinds of pictures that its start knew. The
mean of both networks' weights keeps most of what each of them knows: M. Wortsman et al., "Robust
Fine-Tuning of Zero-Shot Models", 2022.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from matte.conversion.folding import norm_pairs
from matte.conversion.onnx_to_torch import onnx_notes
from matte.conversion.parity import Example, ParityReport
from matte.conversion.refiner_export import export_refiner, refiner_examples
from matte.conversion.segmenter_export import export_segmenter, segmenter_examples
from matte.refiner.checkpoint import KIND as REFINER
from matte.refiner.checkpoint import RefinerNetwork, save_network
from matte.segmentation.network import (
    KIND as SEGMENTER,
)
from matte.segmentation.network import (
    CheckpointInfo,
    SegmentationNetwork,
    info_from_notes,
    load_checkpoint,
    save_checkpoint,
)
from matte.training.start import load_stored_network, start_refiner, start_segmenter

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def blend_networks(tuned: Path, start: Path, share: float, out: Path) -> ParityReport:
    """Write `share` of `tuned` plus the rest of `start` to `out`, a .safetensors, and as ONNX.

    The ONNX file is beside it; returns how well that agrees with torch.

    `tuned`: a segmenter or a refiner of matte's. `start`: whatever its training starts from; what
    of `tuned` it has no counterpart for stays as it is.
    """
    network = load_stored_network(tuned, SEGMENTER, REFINER)
    if isinstance(network, SegmentationNetwork):
        example = segmenter_examples()[0]
        _mix_weights(network, example, share, lambda other: start_segmenter(other, start))
        save_checkpoint(network, _checkpoint_info(tuned), out)
        return export_segmenter(out, out.with_suffix(".onnx"))
    assert isinstance(network, RefinerNetwork)
    example = refiner_examples(network)[0]
    _mix_weights(network, example, share, lambda other: start_refiner(other, start))
    save_network(network, out)
    return export_refiner(out, out.with_suffix(".onnx"))


def _mix_weights(
    network: NetworkT, example: Example, share: float, fill: Callable[[NetworkT], None]
) -> None:
    """Keep `share` of a network's weights; the rest are those that `fill` puts into a copy."""
    fold_norms(network, example)
    other = copy.deepcopy(network)
    fill(other)
    fold_norms(other, example)
    theirs = other.state_dict()
    mean = {
        key: torch.lerp(theirs[key], ours, share) if ours.is_floating_point() else ours
        for key, ours in network.state_dict().items()
    }
    network.load_state_dict(mean)


def _checkpoint_info(segmenter: Path) -> CheckpointInfo:
    """Read the architecture and the size of a segmenter, from its checkpoint or its ONNX file."""
    if segmenter.suffix != ".onnx":
        return load_checkpoint(segmenter)[1]
    return info_from_notes(onnx_notes(segmenter))


@torch.no_grad()
def fold_norms(network: nn.Module, example: Example) -> None:
    """Fold norms' scales into the convolutions before them; the norms only add a bias then.

    So weights of networks with different statistics can be compared.
    """
    for name, following in norm_pairs(network, example).items():
        convolution, norm = network.get_submodule(name), network.get_submodule(following)
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        weight, bias = fuse_conv_bn_weights(
            convolution.weight,
            convolution.bias,
            mean,
            variance,
            norm.eps,
            norm.weight,
            norm.bias,
        )
        norm.reset_running_stats()
        variance.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
        convolution.weight.copy_(weight)
        if convolution.bias is not None:
            convolution.bias.zero_()
