"""Import users' network files into the store: recognised, converted, compared, registered."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from torch import Tensor

from matte.configs.places import weights_folder
from matte.configs.settings import RuntimeSettings
from matte.conversion import gca, likeunet, modnet, u2net
from matte.conversion.checkpoints import read_state_dict
from matte.conversion.keras_weights import KERAS_SUFFIXES, read_keras_weights
from matte.conversion.modnet_export import export_modnet
from matte.conversion.onnx_to_torch import torch_from_onnx
from matte.conversion.refiner_export import export_refiner_network
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import OutputError, SettingError, WeightsError
from matte.files import file_facts, make_folder, write_file
from matte.limits import check_onnx_bytes
from matte.modnet.checkpoint import load_network as load_modnet
from matte.modnet.checkpoint import save_network as save_modnet
from matte.modnet.network import build_network
from matte.onnx_files import network_digest
from matte.refiner.checkpoint import load_network as load_gca
from matte.refiner.checkpoint import save_network as save_gca
from matte.refiner.network import GcaNetwork
from matte.runtime.execution import NetworkSource
from matte.runtime.opener import open_session
from matte.runtime.session import parse_trained_size
from matte.runtime.tensors import network_kind
from matte.segmentation.network import CheckpointInfo, load_checkpoint, save_checkpoint
from matte.segmentation.network import build_network as build_segmenter
from matte.weights.store import Weights, all_weights, register_weights

VALID_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
GCA_LICENCE = (
    "as its authors say: weights trained on the Adobe matting data set are for"
    " non-commercial use only"
)
U2NET_LICENCE = "as its authors say: Apache-2.0"
LIKEUNET_LICENCE = "as its authors say: MIT"
MODNET_LICENCE = "as its authors say: Apache-2.0"


@dataclass(frozen=True, slots=True)
class ImportedNetwork:
    """An imported network: its name, its manifest row, and how it compares with torch."""

    name: str
    weights: Weights
    parity: str


def import_weights(file: Path, name: str = "", overwrite: bool = False) -> ImportedNetwork:
    """Store the network of `file` under `name` ("": the file's own).

    Official checkpoints of GCA, MODNet and U²-Net, LikeUnet's weights as Keras wrote them, ONNX
    files of MODNet and U²-Net, and matte's own: networks become an ONNX file and, where there were
    torch weights, a .safetensors beside it. They are made and
    examined in a folder of their own: the store changes only when all is well.
    """
    name = name or file.stem
    known = all_weights()
    if not VALID_NAME.fullmatch(name):
        raise SettingError(f"{name!r} can't be a name", "use letters, digits, '.', '_' and '-'")
    if name in known and not overwrite:
        raise SettingError(f"{name!r} is stored already", "choose another --as, or --overwrite")
    if name in known and known[name].folder != weights_folder():
        raise SettingError(f"{name!r} is one of matte's own names", "choose another --as")
    folder = weights_folder()
    make_folder(folder)
    with _working_folder(folder) as made:
        target = made / f"{name}.onnx"
        if file.suffix.lower() == ".onnx":
            weights, parity = _import_onnx(file, target)
        else:
            weights, parity = _import_checkpoint(file, target)
        weights = replace(
            weights,
            sha256=hashlib.sha256(target.read_bytes()).hexdigest(),
            origin=f"imported from {file.name}, sha256 {file_facts(file)['sha256']}",
            folder=folder,
        )
        register_weights(name, weights, sorted(made.iterdir()), overwrite)
    return ImportedNetwork(name, weights, parity)


@contextmanager
def _working_folder(store: Path) -> Iterator[Path]:
    """Make a hidden folder in the store, and remove it in the end."""
    try:
        made = TemporaryDirectory(prefix=".matte-", dir=store)
    except OSError as error:
        cause = f"can't write into {store} ({error.strerror})"
        raise OutputError(cause, "set MATTE_HOME to a folder of yours") from error
    with made as name:
        yield Path(name)


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
    name, state = likeunet.likeunet_from_keras(read_keras_weights(file))
    info = CheckpointInfo(name, likeunet.TRAINED_SIZE)
    return _store_segmenter(info, state, target, LIKEUNET_LICENCE)


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


def _import_onnx(file: Path, target: Path) -> tuple[Weights, str]:
    """Copy an ONNX file that matte knows into the store; return its manifest row.

    Of U²-Net as its authors export it, our network for any size is stored instead.
    """
    check_onnx_bytes(file)
    try:
        data = file.read_bytes()
        model = onnx.load_from_string(data)
        _refuse_external_weights(model, file)
        onnx.checker.check_model(model)
    except (WeightsError, MemoryError):
        raise
    except OSError as error:
        raise WeightsError(f"can't read {file} ({error.strerror})", "name a file") from error
    # Parser and checker raise classes of several packages.
    except Exception as error:
        raise WeightsError(f"{file} is not a whole ONNX file", "get it again") from error
    notes = {entry.key: entry.value for entry in model.metadata_props}
    names = {value.name for value in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in names]
    # Tried in a process of its own: once stored, it is no stranger.
    stranger = NetworkSource(file, network_digest(file), is_stranger=True)
    if "matte.kind" not in notes and u2net.u2net_of_onnx(model) is not None:
        open_session(stranger, RuntimeSettings(backend="onnx"))
        restored = torch_from_onnx(file)
        info = CheckpointInfo(restored.notes["architecture"], u2net.TRAINED_SIZE)
        state = restored.network.state_dict()
        weights, report = _store_segmenter(info, state, target, U2NET_LICENCE)
        return _with_counts(weights, target.with_suffix(".safetensors")), report
    one_in_one_out = len(inputs) == 1 and len(model.graph.output) == 1
    kind = notes.get("matte.kind", "modnet" if one_in_one_out else "")
    if kind not in ("modnet", "refiner", "segmenter"):
        raise WeightsError(
            f"{file} is no network that matte knows", "give a MODNet with one input and one output"
        )
    open_session(stranger, RuntimeSettings(backend="onnx"))
    write_file(target, data)
    parameters = sum(int(np.prod(i.dims)) for i in model.graph.initializer if len(i.dims) > 1)
    size = parse_trained_size(notes)
    licence = MODNET_LICENCE if kind == "modnet" and not notes else ""
    row = Weights(target.name, kind, size=size, parameters=parameters, licence=licence)
    return row, "stored as it is"


def _refuse_external_weights(model: onnx.ModelProto, file: Path) -> None:
    """Raise WeightsError if an ONNX file keeps weights in other files: one file is stored."""
    others = {
        entry.value
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    if others:
        cause = f"{file} keeps weights in other files ({', '.join(sorted(others))})"
        raise WeightsError(cause, "save it as one: onnx.save(onnx.load(FILE), NEW_FILE)")
