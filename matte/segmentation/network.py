"""The segmentation networks as torch modules, and their weights on disk.

Checkpoints are safetensors with what they are in the metadata, never pickles.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from matte.errors import WeightsError
from matte.files import write_file
from matte.registry import resolve

ARCHITECTURES = {
    "deeplabv3plus": "segmentation_models_pytorch:DeepLabV3Plus",
    "unet": "segmentation_models_pytorch:Unet",
}
# Half of the usual channels: the mask is thrown away below a trimap's band, so speed wins.
DECODERS: dict[str, dict[str, Any]] = {"unet": {"decoder_channels": (128, 64, 48, 32, 16)}}
ENCODER = "mobilenet_v2"
KIND = "segmenter"
MULTIPLE = 32  # height and width of what a network is given


class SegmentationNetwork(nn.Module):
    """Logits of the subject for RGB pictures in 0 … 1: (N, 3, H, W) to (N, 1, H, W).

    H and W are multiples of 32. The range that the encoder knows from ImageNet, −1 … 1, is made
    inside, so that an exported network takes plain pictures.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits (N, 1, H, W)."""
        logits: torch.Tensor = self.network(image * 2 - 1)
        return logits

    @property
    def encoder(self) -> nn.Module:
        """The part that starts from ImageNet weights."""
        encoder = self.network.encoder
        assert isinstance(encoder, nn.Module)
        return encoder


def build_network(architecture: str) -> SegmentationNetwork:
    """The network of that name, with random weights."""
    make: Callable[..., nn.Module] = resolve("architecture", ARCHITECTURES, architecture)
    decoder = DECODERS.get(architecture, {})
    return SegmentationNetwork(
        make(encoder_name=ENCODER, encoder_weights=None, classes=1, **decoder)
    )


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What a checkpoint holds; `size` is the long side it was trained at."""

    architecture: str
    size: int
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


def save_checkpoint(network: nn.Module, info: CheckpointInfo, path: Path) -> None:
    """Writes all tensors of the network in one go: the file is whole or not there."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    metadata = {"matte": json.dumps({"kind": KIND, **asdict(info)})}
    write_file(path, save(tensors, metadata), overwrite=True)


def load_checkpoint(path: Path) -> tuple[SegmentationNetwork, CheckpointInfo]:
    """The network of a checkpoint, in evaluation mode, and what the file says about it."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"can't read {path}", "give a .safetensors of matte train") from error
    try:
        told = json.loads(metadata["matte"])
        kind = told.pop("kind")
        info = CheckpointInfo(**told)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is not one of matte's", "give one of matte train") from error
    if kind != KIND:
        raise WeightsError(f"{path} holds a {kind}", f"give a {KIND}")
    network = build_network(info.architecture)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit {info.architecture}", "train it again") from error
    return network.eval(), info
