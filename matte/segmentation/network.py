"""The segmentation networks as torch modules, and their weights on disk.

Checkpoints are safetensors with what they are in the metadata, never pickles.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from matte.configs.settings import RuntimeSettings
from matte.errors import WeightsError
from matte.registry import resolve
from matte.runtime.execution import Execution
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession

ARCHITECTURES = {
    "deeplab-unet": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplab-unet-light": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplabv3plus": "segmentation_models_pytorch:DeepLabV3Plus",
    "unet": "segmentation_models_pytorch:Unet",
}
# Half of the usual channels: the mask is thrown away below a trimap's band, so speed wins.
OPTIONS: dict[str, dict[str, Any]] = {
    "deeplab-unet": {"encoder_name": "tu-mobilenetv2_100", "decoder_channels": (128, 64, 48, 24)},
    "deeplab-unet-light": {
        "encoder_name": "tu-mobilenetv2_050",
        "decoder_channels": (64, 48, 32, 16),
    },
    "deeplabv3plus": {"encoder_name": "mobilenet_v2"},
    "unet": {"encoder_name": "mobilenet_v2", "decoder_channels": (128, 64, 48, 32, 16)},
}
KIND = "segmenter"
MULTIPLE = 32  # of a network's input height and width


class SegmentationNetwork(nn.Module):
    """Logits of the subject for RGB pictures in 0 … 1: (N, 3, H, W) to (N, 1, H, W).

    H and W are multiples of 32. The range that the encoder knows from ImageNet, −1 … 1, is made
    inside, so that an exported network takes plain pictures.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits (N, 1, H, W)."""
        logits: torch.Tensor = self.network(image * 2 - 1)
        return logits

    @property
    def encoder(self) -> nn.Module:
        """The part that starts from ImageNet weights."""
        encoder = self.network.encoder
        assert isinstance(encoder, nn.Module)
        return encoder


def build_network(architecture: str) -> SegmentationNetwork:
    """Build the network of that name, with random weights."""
    make: Callable[..., nn.Module] = resolve("architecture", ARCHITECTURES, architecture)
    return SegmentationNetwork(make(encoder_weights=None, classes=1, **OPTIONS[architecture]))


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """The design and training of a checkpoint's network; `size`: its long side in training."""

    architecture: str
    size: int
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


def save_checkpoint(network: nn.Module, info: CheckpointInfo, path: Path) -> None:
    """Write all tensors of the network in one go: the file is whole or not there."""
    save_tensors(path, network.state_dict(), KIND, asdict(info))


def load_checkpoint(path: Path) -> tuple[SegmentationNetwork, CheckpointInfo]:
    """Load a checkpoint's network, in evaluation mode, and its design."""
    tensors, notes = load_tensors(path, KIND)
    try:
        info = CheckpointInfo(**notes)
        network = build_network(info.architecture)
        network.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit its own design", "train it again") from error
    return network.eval(), info


class Probability(nn.Module):
    """A network whose logits have become probabilities, as in its ONNX file."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the subject's probability (N, 1, H, W) for pictures (N, 3, H, W), both 0 … 1."""
        return torch.sigmoid(self.network(image))


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """Open a checkpoint's network in torch, ready to run."""
    network, _ = load_checkpoint(path)
    inputs: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}
    return TorchSession(Probability(network), inputs, "mask", execution, settings)
