"""The segmentation networks as torch modules, and their weights on disk.

Checkpoints are safetensors with what they are in the metadata, never pickles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from matte.configs.settings import RuntimeSettings
from matte.errors import WeightsError
from matte.registry import resolve
from matte.runtime.execution import Execution
from matte.runtime.session import BAND_OUTPUT
from matte.runtime.tensors import load_tensors, save_tensors
from matte.runtime.torch import TorchSession
from matte.segmentation.mean_of_networks import MeanOfNetworks

ARCHITECTURES = {
    "deeplab-unet": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplab-unet-band": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplab-unet-light": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplab-unet-lite0": "matte.segmentation.deeplab_unet:DeepLabUnet",
    "deeplabv3plus": "segmentation_models_pytorch:DeepLabV3Plus",
    "likeunet-dark": "matte.segmentation.likeunet:LikeUnet",
    "likeunet-dark-light": "matte.segmentation.likeunet:LikeUnet",
    "likeunet-dark-light-branches": "matte.segmentation.likeunet:LikeUnet",
    "likeunet-night": "matte.segmentation.likeunet:LikeUnet",
    "mobile-unet": "matte.segmentation.mobile_unet:MobileUnet",
    "mobile-unet-bilinear": "matte.segmentation.mobile_unet:MobileUnet",
    "u2net": "matte.segmentation.u2net:U2Net",
    "u2netp": "matte.segmentation.u2net:U2Net",
    "unet": "segmentation_models_pytorch:Unet",
}
LIKEUNET: dict[str, Any] = {
    "encoder": (16, 32, 64, 128, 256),
    "decoder": ((256, 128), (128, 64), (64, 32), (32, 16), (16, 8)),
}
LIKEUNET_LIGHT: dict[str, Any] = {
    "colours": 1,
    "first": 8,
    "encoder": (16, 32, 32, 32, 64),
    "decoder": ((64, 64), (32, 32), (32, 32), (32, 32), (16, 16)),
    "norms": True,
}
RANDOM: dict[str, Any] = {"encoder_weights": None, "classes": 1}  # of the library's networks
# Half of the usual channels: the mask is thrown away below a trimap's band, so speed wins.
DEEPLAB_UNET: dict[str, Any] = {
    "encoder_name": "tu-mobilenetv2_100",
    "decoder_channels": (128, 64, 48, 24),
    **RANDOM,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "deeplab-unet": DEEPLAB_UNET,
    "deeplab-unet-band": {**DEEPLAB_UNET, "band": True},
    "deeplab-unet-light": {
        "encoder_name": "tu-mobilenetv2_050",
        "decoder_channels": (64, 48, 32, 16),
        **RANDOM,
    },
    "deeplab-unet-lite0": {**DEEPLAB_UNET, "encoder_name": "tu-efficientnet_lite0"},
    "deeplabv3plus": {"encoder_name": "mobilenet_v2", **RANDOM},
    "likeunet-dark": {"colours": 1, **LIKEUNET},
    "likeunet-dark-light": LIKEUNET_LIGHT,
    "likeunet-dark-light-branches": {**LIKEUNET_LIGHT, "branches": True},
    "likeunet-night": {"colours": 3, **LIKEUNET},
    "mobile-unet": {},
    "mobile-unet-bilinear": {"transposed": False},
    "u2net": {},
    "u2netp": {"small": True},
    "unet": {
        "encoder_name": "mobilenet_v2",
        "decoder_channels": (128, 64, 48, 32, 16),
        **RANDOM,
    },
}
# How pictures are handed to a network; those that are not named here get −1 … 1.
INPUTS = {
    "likeunet-dark": "grey-bytes",
    "likeunet-dark-light": "grey-bytes",
    "likeunet-dark-light-branches": "grey-bytes",
    "likeunet-night": "bgr-bytes",
    "u2net": "imagenet-by-brightest",
    "u2netp": "imagenet-by-brightest",
}
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MIN_BRIGHTEST = 1e-6
JOINT = "+"  # between the architectures of networks that are joined into one
BRANCHES_SUFFIX = "-branches"  # of architectures that are trained so, and exported without
LUMA = (0.299, 0.587, 0.114)  # shares of red, green and blue in grey
KIND = "segmenter"
MULTIPLE = 32  # of a network's input height and width


class SegmentationNetwork(nn.Module):
    """Logits of the subject for RGB pictures in 0 … 1: (N, 3, H, W) to (N, 1, H, W).

    Networks with a band give (N, 2, H, W): a second map has the logits of the soft edge.
    H and W are multiples of 32. The range and the colours that the network inside knows are made
    here, so that an exported network takes plain pictures.
    """

    def __init__(self, network: nn.Module, inputs: str = "signed") -> None:
        """`inputs` is one of these.

        "plain": as they come. "signed": RGB in −1 … 1. "bgr-bytes", "grey-bytes": 0 … 255.
        "imagenet-by-brightest": RGB over the picture's largest value, in ImageNet's deviations
        from its mean.
        """
        super().__init__()
        self.network = network
        self._inputs = inputs

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits, one map of them or two."""
        picture = _convert_input(image, self._inputs)
        logits: torch.Tensor = self.network(picture)
        return logits

    @property
    def encoder(self) -> nn.Module:
        """The part that starts from ImageNet weights; an empty one if no part does."""
        encoder = getattr(self.network, "encoder", None)
        return encoder if isinstance(encoder, nn.Module) else nn.Sequential()


def _convert_input(image: torch.Tensor, inputs: str) -> torch.Tensor:
    """Return RGB pictures in 0 … 1, (N, 3, H, W), as `SegmentationNetwork` says of `inputs`."""
    if inputs == "plain":
        return image
    if inputs == "bgr-bytes":
        return 255 * image.flip(1)
    if inputs == "grey-bytes":
        return (255 * _per_channel(image, LUMA) * image).sum(dim=1, keepdim=True)
    if inputs == "imagenet-by-brightest":
        brightest = image.amax(dim=(1, 2, 3), keepdim=True).clamp(min=MIN_BRIGHTEST)
        mean, deviation = (_per_channel(image, v) for v in (IMAGENET_MEAN, IMAGENET_DEVIATION))
        return (image / brightest - mean) / deviation
    return image * 2 - 1


def _per_channel(image: torch.Tensor, values: Sequence[float]) -> torch.Tensor:
    """Return a number for each channel, to be broadcast over pictures."""
    return image.new_tensor(values).view(1, -1, 1, 1)


def build_network(architecture: str) -> SegmentationNetwork:
    """Build the network of that name, with random weights; names joined by "+" give their mean."""
    if JOINT in architecture:
        return join_networks([build_network(name) for name in architecture.split(JOINT)])
    make: Callable[..., nn.Module] = resolve("architecture", ARCHITECTURES, architecture)
    return SegmentationNetwork(make(**OPTIONS[architecture]), INPUTS.get(architecture, "signed"))


def join_networks(
    networks: Sequence[SegmentationNetwork], shares: Sequence[float] = ()
) -> SegmentationNetwork:
    """Return one network whose logits are the mean of the networks', by their `shares`."""
    return SegmentationNetwork(MeanOfNetworks(networks, shares), "plain")


def output_name(architecture: str) -> str:
    """Return what an exported network of that architecture calls its output."""
    return BAND_OUTPUT if architecture.endswith("-band") else "mask"


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """The design and training of a checkpoint's network; `size`: its long side in training."""

    architecture: str
    size: int
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


def info_from_notes(notes: Mapping[str, str]) -> CheckpointInfo:
    """Return the design that the notes of a segmenter's ONNX file tell."""
    return CheckpointInfo(notes["architecture"], int(notes["size"]))


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
        """Return the probabilities (N, 1 or 2, H, W) for pictures (N, 3, H, W), both 0 … 1."""
        return torch.sigmoid(self.network(image))


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """Open a checkpoint's network in torch, ready to run."""
    network, info = load_checkpoint(path)
    inputs: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}
    return TorchSession(
        Probability(network), inputs, output_name(info.architecture), execution, settings
    )
