"""Weights between those of a fine-tuned segmenter and those it started from.

Fine-tuned on a few thousand pictures, a network forgets kinds of pictures that its start knew. The
mean of both networks' weights keeps most of what each of them knows: M. Wortsman et al., "Robust
Fine-Tuning of Zero-Shot Models", 2022.
"""

import copy
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from matte.conversion.folding import norm_pairs
from matte.conversion.onnx_to_torch import onnx_notes
from matte.conversion.parity import ParityReport
from matte.conversion.segmenter_export import export_segmenter, segmenter_examples
from matte.segmentation.network import (
    KIND,
    CheckpointInfo,
    SegmentationNetwork,
    load_checkpoint,
    save_checkpoint,
)
from matte.training.start import load_stored_network, start_segmenter


def blend_segmenters(tuned: Path, start: Path, share: float, out: Path) -> ParityReport:
    """Write `share` of `tuned` plus the rest of `start` to `out`, a .safetensors, and as ONNX.

    The ONNX file is beside it; returns how well that agrees with torch.

    `tuned`: a segmenter of matte's. `start`: whatever `start_segmenter` takes; what of `tuned` it
    has no counterpart for stays as it is.
    """
    network = load_stored_network(tuned, KIND)
    assert isinstance(network, SegmentationNetwork)
    image = segmenter_examples()[0]["image"]
    fold_norms(network, image)
    other = copy.deepcopy(network)
    start_segmenter(other, start)
    fold_norms(other, image)
    theirs = other.state_dict()
    mean = {
        key: torch.lerp(theirs[key], ours, share) if ours.is_floating_point() else ours
        for key, ours in network.state_dict().items()
    }
    network.load_state_dict(mean)
    save_checkpoint(network, _checkpoint_info(tuned), out)
    return export_segmenter(out, out.with_suffix(".onnx"))


def _checkpoint_info(segmenter: Path) -> CheckpointInfo:
    """Read the architecture and the size of a segmenter, from its checkpoint or its ONNX file."""
    if segmenter.suffix != ".onnx":
        return load_checkpoint(segmenter)[1]
    notes = onnx_notes(segmenter)
    return CheckpointInfo(notes["architecture"], int(notes["size"]))


@torch.no_grad()
def fold_norms(network: nn.Module, image: torch.Tensor) -> None:
    """Fold norms' scales into the convolutions before them; the norms only add a bias then.

    So weights of networks with different statistics can be compared.
    """
    for name, following in norm_pairs(network, {"image": image}).items():
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
