"""Import users' checkpoints into the store: recognised, converted, compared, registered."""

from dataclasses import replace
from pathlib import Path

import onnx
from torch import Tensor

from matte.configs.settings import RuntimeSettings
from matte.conversion import gca, likeunet, modnet, u2net
from matte.conversion.checkpoints import read_state_dict
from matte.conversion.keras_weights import KERAS_SUFFIXES, read_keras_weights
from matte.conversion.modnet_export import export_modnet
from matte.conversion.onnx_import import import_onnx, is_plain_import
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.refiner_export import export_refiner_network
from matte.conversion.segmenter_export import export_segmenter
from matte.conversion.storing import (
    MODNET_LICENCE,
    ImportedNetwork,
    check_new_name,
    store_network,
    working_folder,
)
from matte.errors import WeightsError
from matte.files import write_file
from matte.modnet.checkpoint import load_network as load_modnet
from matte.modnet.checkpoint import save_network as save_modnet
from matte.modnet.network import build_network
from matte.onnx_files import ONNX_SUFFIX, read_onnx_file
from matte.refiner.checkpoint import load_network as load_gca
from matte.refiner.checkpoint import save_network as save_gca
from matte.refiner.network import GcaNetwork
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_session
from matte.runtime.tensors import network_kind
from matte.segmentation.network import CheckpointInfo, load_checkpoint, save_checkpoint
from matte.segmentation.network import build_network as build_segmenter
from matte.weights.store import Weights

GCA_LICENCE = (
    "as its authors say: weights trained on the Adobe matting data set are for"
    " non-commercial use only"
)
U2NET_LICENCE = "as its authors say: Apache-2.0"
LIKEUNET_LICENCE = "as its authors say: MIT"


def import_weights(
    file: Path, name: str = "", overwrite: bool = False, rule: str = ""
) -> ImportedNetwork:
    """Store the network of `file` under `name` ("": the file's own).

    Official checkpoints of GCA, MODNet and U²-Net, LikeUnet's weights as Keras wrote them, and
    matte's own become an ONNX file and a .safetensors beside it. They are made and examined in a
    folder of their own: the store changes only when all is well. U²-Net's ONNX file becomes our
    network for any size, unless there is a `rule`; others are imported by `import_onnx`.
    """
    if is_plain_import(file, rule) or (_is_onnx(file) and not _holds_u2net(file)):
        return import_onnx(file, name, overwrite, rule)
    name = name or file.stem
    check_new_name(name, overwrite)
    with working_folder() as made:
        convert = _import_u2net if _is_onnx(file) else _import_checkpoint
        weights, parity = convert(file, made / f"{name}.onnx")
        stored = store_network(name, weights, made, file, overwrite)
    return ImportedNetwork(name, stored, parity)


def _is_onnx(file: Path) -> bool:
    """Return whether a file's name is one of an ONNX file."""
    return file.suffix.lower() == ONNX_SUFFIX


def _holds_u2net(file: Path) -> bool:
    """Return whether a whole ONNX file is U²-Net as its authors export it."""
    if read_onnx_file(file).external:
        return False
    try:
        return u2net.u2net_of_onnx(onnx.load(file)) is not None
    # Of a file that this parser does not read, though its fields are whole.
    except Exception as error:
        raise WeightsError(f"{file} is not a whole ONNX file", "get it again") from error


def _import_u2net(file: Path, target: Path) -> tuple[Weights, str]:
    """Convert U²-Net's ONNX file to our network; return its manifest row and the parity."""
    # Tried in a process of its own: once stored, it is no stranger.
    stranger = NetworkSource(file, read_onnx_file(file).digest, is_stranger=True)
    open_session(stranger, RuntimeSettings(backend="onnx"))
    restored = torch_from_onnx(file)
    info = CheckpointInfo(restored.notes["architecture"], u2net.TRAINED_SIZE)
    state = restored.network.state_dict()
    weights, report = _store_segmenter(info, state, target, U2NET_LICENCE)
    return _with_counts(weights, target.with_suffix(".safetensors")), report


def _import_checkpoint(file: Path, target: Path) -> tuple[Weights, str]:
    """Convert a checkpoint to an ONNX file; return its manifest row and the parity in words."""
    tensors = target.with_suffix(".safetensors")
    if file.suffix.lower() in KERAS_SUFFIXES:
        weights, report = _import_likeunet(file, target)
        return _with_counts(weights, tensors), report
    state = read_state_dict(file)
    if _is_own_file(file):
        weights, report = _import_own_file(file, target)
        write_file(tensors, file.read_bytes())
    elif gca.is_official_gca(state):
        design, ours = gca.from_official_gca(state)
        network = GcaNetwork(design)
        network.load_state_dict(ours)
        report = str(export_refiner_network(network.eval(), target, half=False))
        save_gca(network, tensors)
        kind = "GCA" if design.attention else "GCA's network without attention"
        architecture = f"{kind}, trimap as {design.trimap_channels}"
        weights = Weights(target.name, "refiner", architecture=architecture, licence=GCA_LICENCE)
    elif modnet.is_official_modnet(state):
        info, ours = modnet.from_official_modnet(state)
        matter = build_network(info)
        matter.load_state_dict(ours)
        report = str(export_modnet(matter.eval(), target, half=False))
        save_modnet(matter, tensors)
        architecture = f"MODNet on {info.encoder}"
        weights = Weights(target.name, "modnet", architecture=architecture, licence=MODNET_LICENCE)
    elif u2net.is_official_u2net(state):
        name, ours = u2net.from_official_u2net(state)
        segmenter = CheckpointInfo(name, u2net.TRAINED_SIZE)
        weights, report = _store_segmenter(segmenter, ours, target, U2NET_LICENCE)
    else:
        first = ", ".join(list(state)[:3]) or "no tensors"
        raise WeightsError(
            f"{file} is no network that matte knows (its first keys: {first})",
            "give a checkpoint of GCA-Matting, MODNet, U²-Net or LikeUnet, or an ONNX file",
        )
    return _with_counts(weights, tensors), report


def _with_counts(weights: Weights, tensors: Path) -> Weights:
    """Return a manifest row with its torch weights and their numbers."""
    parameters, values = _count_values(tensors)
    return replace(weights, checkpoint=tensors.name, parameters=parameters, values=values)


def _import_likeunet(file: Path, target: Path) -> tuple[Weights, str]:
    """Convert LikeUnet's weights as Keras wrote them; return the manifest row and the parity."""
    read = likeunet.likeunet_from_keras(read_keras_weights(file))
    name, network = likeunet.fused_likeunet(*read)
    info = CheckpointInfo(name, likeunet.TRAINED_SIZE)
    return _store_segmenter(info, network.state_dict(), target, LIKEUNET_LICENCE)


def _store_segmenter(
    info: CheckpointInfo, state: dict[str, Tensor], target: Path, licence: str
) -> tuple[Weights, str]:
    """Write a segmenter that others trained; return its manifest row and the parity in words."""
    network = build_segmenter(info.architecture)
    network.load_state_dict(state)
    tensors = target.with_suffix(".safetensors")
    save_checkpoint(network.eval(), info, tensors)
    report = str(export_segmenter(tensors, target, half=False))
    row = Weights(target.name, "segmenter", size=info.size, architecture=info.architecture)
    return replace(row, licence=licence), report


def _is_own_file(file: Path) -> bool:
    """Return whether matte wrote a checkpoint: a MODNet of its own has the official one's names."""
    try:
        return bool(network_kind(file))
    except WeightsError:
        return False


def _import_own_file(file: Path, target: Path) -> tuple[Weights, str]:
    """Convert a .safetensors that matte wrote; return its manifest row and the parity in words."""
    kind = network_kind(file)
    if kind == "refiner":
        refiner = load_gca(file)
        width = f"width {refiner.design.width:g}" if isinstance(refiner, GcaNetwork) else "slim"
        named = f"GCA, {width}{'' if refiner.design.attention else ', no attention'}"
        report = str(export_refiner_network(refiner, target, half=True))
        return Weights(target.name, kind, architecture=named), report
    if kind == "modnet":
        matter = load_modnet(file)
        architecture = f"MODNet on {matter.info.encoder}, width {matter.info.width:g}"
        return Weights(target.name, kind, architecture=architecture), str(
            export_modnet(matter, target)
        )
    _, info = load_checkpoint(file)
    report = str(export_segmenter(file, target))
    return Weights(target.name, kind, size=info.size, architecture=info.architecture), report


def _count_values(tensors: Path) -> tuple[int, int]:
    """Return how many numbers were trained, and how many the file holds."""
    sizes = {key: tensor.numel() for key, tensor in read_state_dict(tensors).items()}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    trained = sum(n for key, n in sizes.items() if not key.endswith(statistics))
    return trained, sum(sizes.values())
