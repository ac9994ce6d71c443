"""Weights that a training starts from."""

from pathlib import Path

import torch
from torch import nn

from matte.errors import WeightsError
from matte.segmentation.network import SegmentationNetwork, load_checkpoint


def start_from(network: SegmentationNetwork, path: Path) -> None:
    """Puts weights into the network before training.

    `path`: a checkpoint of the same architecture (.safetensors), or a state_dict of torchvision's
    mobilenet_v2 (.pth), of which the features become the encoder.
    """
    if path.suffix == ".safetensors":
        weights = load_checkpoint(path)[0].state_dict()
        part: nn.Module = network
    else:
        weights = _encoder_weights(path)
        part = network.encoder
    try:
        part.load_state_dict(weights)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit the network", "start from another") from error


def _encoder_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load documents no set of errors
        raise WeightsError(f"can't read {path}", "give a .pth or .safetensors") from error
    if not isinstance(weights, dict):
        raise WeightsError(f"{path} is not a state_dict", "give torchvision's mobilenet_v2")
    return {
        key: value.float() if value.is_floating_point() else value
        for key, value in weights.items()
        if key.startswith("features.")
    }
