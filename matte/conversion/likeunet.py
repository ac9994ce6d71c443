"""LikeUnet's weights as Keras wrote them, for our network."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.errors import WeightsError
from matte.segmentation.likeunet import fuse_branches
from matte.segmentation.network import build_network

Array = NDArray[np.float32]
NIGHT, DARK, LIGHT = "likeunet-night", "likeunet-dark", "likeunet-dark-light"
BRANCHES = "likeunet-dark-light-branches"
PLAIN_KERNEL = (3, 3)
TRAINED_SIZE = 512  # the longest side that its authors trained at


def likeunet_architecture(arrays: Sequence[Array]) -> str:
    """Return which LikeUnet the arrays are of, by the shapes of the first; "" if of none."""
    if len(arrays) < 4 or arrays[0].ndim != 4 or arrays[0].shape[:2] != PLAIN_KERNEL:
        return ""
    colours, channels = arrays[0].shape[2:]
    if (colours, channels) == (1, 8):
        has_branches = any(array.ndim == 4 and array.shape[:2] == (1, 3) for array in arrays)
        return BRANCHES if has_branches else LIGHT
    return {(3, 16): NIGHT, (1, 16): DARK}.get((colours, channels), "")


def likeunet_from_keras(arrays: Sequence[Array]) -> tuple[str, nn.Module]:
    """Return a LikeUnet's architecture and the network, with its parallel kernels if it has some.

    `arrays` are its weights in the order of Keras's layers. Raises WeightsError for others.
    """
    architecture = likeunet_architecture(arrays)
    if not architecture:
        raise WeightsError("the file holds no LikeUnet", "give one of its .h5 files of weights")
    network = build_network(architecture)
    _fill(network, list(arrays))
    return architecture, network


def fused_likeunet(architecture: str, network: nn.Module) -> tuple[str, nn.Module]:
    """Return a LikeUnet without parallel kernels, which gives the same."""
    if architecture != BRANCHES:
        return architecture, network
    fuse_branches(network)
    return LIGHT, network


@torch.no_grad()
def _fill(network: nn.Module, arrays: list[Array]) -> None:
    """Fill a network with arrays in the order of its layers; raise WeightsError if they differ."""
    wanted = list(_targets(network))
    if len(wanted) != len(arrays):
        raise WeightsError(
            f"the file holds {len(arrays)} arrays, a LikeUnet {len(wanted)}", "get it again"
        )
    for (target, is_transposed), array in zip(wanted, arrays, strict=True):
        values = torch.from_numpy(np.ascontiguousarray(array))
        if values.ndim == 4:
            # Keras keeps a transposed convolution's kernel as (height, width, out, in).
            values = values.permute(2, 3, 0, 1) if is_transposed else values.permute(3, 2, 0, 1)
            values = values.flip(2, 3) if is_transposed else values
        if values.shape != target.shape:
            raise WeightsError(
                "the file's arrays have other shapes than a LikeUnet's", "get it again"
            )
        target.copy_(values)


def _targets(network: nn.Module) -> Iterator[tuple[Tensor, bool]]:
    """Yield a network's tensors in Keras's order, and whether the original one was transposed."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.bias is not None
            # The second convolution of each level of the decoder.
            is_transposed = ".up." in name and name.split(".up.")[1].split(".")[1] == "1"
            yield module.weight, is_transposed
            yield module.bias, False
        elif isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                yield tensor, False
