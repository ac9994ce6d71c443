"""U²-Net's weights as its authors published them, for our network of the same names.

Their ONNX files fold the norms and rename the convolutions before them: those are found by their
order. The side outputs keep their names.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from matte.errors import WeightsError
from matte.segmentation.network import build_network

FULL, SMALL = "u2net", "u2netp"
TRAINED_SIZE = 320
PREFIX = "network."  # of our names: the network inside
MIDDLE_WEIGHT = "stage1.rebnconv1.conv_s1.weight"  # by which the sizes differ
SMALL_CHANNELS = 16
OUTPUTS = ("outconv", *(f"side{number}" for number in range(1, 7)))
REMEDY = "give a checkpoint of the released U²-Net code"


def is_official_u2net(checkpoint: Mapping[str, Any]) -> bool:
    """Return whether a loaded checkpoint comes from the released U²-Net code."""
    return {MIDDLE_WEIGHT, "outconv.weight"} <= _plain_names(checkpoint).keys()


def from_official_u2net(checkpoint: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    """Return the architecture that a loaded checkpoint is of, and our network's state dict."""
    state = _plain_names(checkpoint)
    architecture = SMALL if state[MIDDLE_WEIGHT].shape[0] == SMALL_CHANNELS else FULL
    wanted = build_network(architecture).state_dict()
    found: dict[str, Tensor] = {}
    for name, like in wanted.items():
        tensor = state.get(name.removeprefix(PREFIX), like if "num_batches" in name else None)
        if not isinstance(tensor, Tensor) or tensor.shape != like.shape:
            raise WeightsError(
                f"{name.removeprefix(PREFIX)} is missing or of another shape", REMEDY
            )
        found[name] = tensor.to(like.dtype)
    return architecture, found


def u2net_of_onnx(model: onnx.ModelProto) -> tuple[str, dict[str, NDArray[np.float32]]] | None:
    """Return the architecture and the tensors of an ONNX file of U²-Net, by our names.

    They are convolutions' weights and biases, into which the norms are folded. None for files of
    other networks.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    found = [node.input[1:3] for node in model.graph.node if node.op_type == "Conv"]
    if not all(len(names) == 2 and stored.keys() >= set(names) for names in found):
        return None
    outputs = {key: name for _, key in found for name in OUTPUTS if key.endswith(f"{name}.bias")}
    unnamed = [keys for keys in found if keys[1] not in outputs]
    for architecture in (SMALL, FULL):
        network = build_network(architecture)
        blocks = [n for n in convolutions_in_order(network) if n.endswith("conv_s1")]
        if len(blocks) != len(unnamed) or sorted(outputs.values()) != sorted(OUTPUTS):
            return None
        names = {keys[1]: name for name, keys in zip(blocks, unnamed, strict=True)}
        names |= {key: PREFIX + name for key, name in outputs.items()}
        tensors = {
            f"{names[keys[1]]}.{part}": numpy_helper.to_array(stored[key]).astype(np.float32)
            for keys in found
            for part, key in zip(("weight", "bias"), keys, strict=True)
        }
        wanted = network.state_dict()
        if all(tensors[key].shape == wanted[key].shape for key in tensors if key in wanted):
            return architecture, tensors
    return None


def convolutions_in_order(network: nn.Module) -> list[str]:
    """Return the names of a segmentation network's convolutions in the order of their work."""
    names: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, name=name: names.append(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, 32, 32))
    for handle in handles:
        handle.remove()
    return names


def _plain_names(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checkpoint's tensors by name, without the prefix of several GPUs' training."""
    return {str(key).removeprefix("module."): value for key, value in checkpoint.items()}
