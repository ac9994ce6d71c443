"""Torch networks restored from ONNX files: matte's own, and U²-Net's.

Norms that became part of convolutions come back as norms that only add a bias; give them real
statistics before training (`matte.training.start.refit_norms`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.configs.settings import RuntimeSettings
from matte.conversion.folding import norm_pairs
from matte.conversion.modnet_export import modnet_examples
from matte.conversion.onnx_graphs import NORM_COUNTER, stored_tensors
from matte.conversion.parity import (
    Example,
    OutputDifference,
    output_difference,
    smooth_noise,
)
from matte.conversion.refiner_export import refiner_examples
from matte.conversion.segmenter_export import segmenter_examples
from matte.conversion.u2net import TRAINED_SIZE, u2net_of_onnx
from matte.errors import MatteError, WeightsError
from matte.modnet.adapter import DEFAULT_SIDE
from matte.modnet.network import KIND as MODNET
from matte.modnet.network import ModnetInfo
from matte.modnet.network import build_network as build_modnet
from matte.refiner.checkpoint import KIND as REFINER
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.runtime.execution import Execution
from matte.runtime.opener import open_onnx_file
from matte.runtime.torch import TorchSession
from matte.segmentation.network import KIND as SEGMENTER
from matte.segmentation.network import Probability
from matte.segmentation.network import build_network as build_segmenter

MAX_DIFFERENCE = 1e-3  # largest, between the file and the restored network
MAX_LISTED_TENSORS = 3  # in an error


@dataclass(frozen=True, slots=True, eq=False)
class TorchNetwork:
    """A torch network in evaluation mode, its kind, and the notes of its ONNX file.

    `exported` is the network with the inputs and the output of the file: of a segmenter,
    probabilities, where `network` gives logits.
    """

    kind: str
    network: nn.Module
    exported: nn.Module
    notes: Mapping[str, str]


def is_own_file(file: Path) -> bool:
    """Return whether matte wrote an ONNX file."""
    return "kind" in onnx_notes(file)


def onnx_notes(file: Path) -> dict[str, str]:
    """Return the metadata of an ONNX file, matte's keys without their prefix "matte."."""
    return _notes(_load_onnx(file))


def torch_from_onnx(file: Path) -> TorchNetwork:
    """Return the torch network that an ONNX file was exported from.

    The file is one that matte wrote, or U²-Net as its authors export it. Both are run, and
    WeightsError is raised if they differ.
    """
    model = _load_onnx(file)
    notes = _notes(model)
    if "kind" not in notes:
        return _u2net_from_onnx(model, file)
    try:
        exported, examples = _build_network(notes)
    except (KeyError, TypeError, ValueError, MatteError) as error:
        raise WeightsError(
            f"{file} describes a network that matte can't build", "get it again"
        ) from error
    pairs = norm_pairs(exported.eval(), examples[0])
    _fill_network(exported, stored_tensors(model), pairs, file)
    _check_same_outputs(exported, file, examples)
    network = exported.network if isinstance(exported, Probability) else exported
    return TorchNetwork(notes["kind"], network, exported, notes)


def torch_session(path: Path, execution: Execution, settings: RuntimeSettings) -> TorchSession:
    """Open the network of an ONNX file that matte wrote in torch, ready to run."""
    model, found = _load_onnx(path), torch_from_onnx(path)
    inputs = {
        each.name: tuple(side.dim_value or None for side in each.type.tensor_type.shape.dim)
        for each in model.graph.input
    }
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    output = model.graph.output[0].name
    return TorchSession(found.exported, inputs, output, execution, settings, metadata)


def _u2net_from_onnx(model: onnx.ModelProto, file: Path) -> TorchNetwork:
    """Return U²-Net from an ONNX file of its authors'; raise WeightsError for other networks."""
    found = u2net_of_onnx(model)
    if found is None:
        raise WeightsError(
            f"{file} does not say which network it is", "give a file that matte wrote"
        )
    architecture, tensors = found
    notes = {"kind": SEGMENTER, "architecture": architecture, "size": str(TRAINED_SIZE)}
    network = build_segmenter(architecture).eval()
    _fill_network(network, tensors, norm_pairs(network, segmenter_examples()[0]), file)
    session = open_onnx_file(file)

    def fused_map(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        return dict([next(iter(session.run(inputs).items()))])

    picture = smooth_noise(1, 3, TRAINED_SIZE, TRAINED_SIZE) * 4 - 2
    with torch.inference_mode():
        expected = network.network(picture).sigmoid().numpy()
    inputs = {next(iter(session.inputs)): picture.numpy()}
    _check_difference(output_difference("onnx", fused_map, inputs, expected), file)
    return TorchNetwork(SEGMENTER, network, Probability(network), notes)


def _load_onnx(file: Path) -> onnx.ModelProto:
    """Return the model of an ONNX file; raise WeightsError if it can't be read."""
    try:
        return onnx.load(file)
    # The parser's errors have no common class below Exception.
    except Exception as error:
        raise WeightsError(f"can't read {file}", "give a whole ONNX file") from error


def _notes(model: onnx.ModelProto) -> dict[str, str]:
    """Return a model's metadata, matte's keys without their prefix."""
    return {entry.key.removeprefix("matte."): entry.value for entry in model.metadata_props}


def _build_network(notes: Mapping[str, str]) -> tuple[nn.Module, list[Example]]:
    """Return the network that the notes describe, with random weights, and example inputs."""
    if notes["kind"] == SEGMENTER:
        return Probability(build_segmenter(notes["architecture"])), segmenter_examples()
    if notes["kind"] == MODNET:
        numbers = float(notes.get("width", 1)), int(notes.get("size", DEFAULT_SIDE))
        info = ModnetInfo(notes["encoder"], notes["context"], *numbers)
        return build_modnet(info), modnet_examples()
    if notes["kind"] != REFINER:
        raise KeyError(notes["kind"])
    design = json.loads(notes["design"])
    slim = notes.get("architecture") == "gca-slim"
    network = SlimNetwork(SlimDesign(**design)) if slim else GcaNetwork(GcaDesign(**design))
    return network, refiner_examples(network)


def _fill_network(
    network: nn.Module,
    stored: Mapping[str, NDArray[np.float32]],
    pairs: Mapping[str, str],
    file: Path,
) -> None:
    """Load stored tensors into a network; a folded batch norm becomes one that only adds a bias.

    `pairs`: the convolutions' names, each with its norm's, as `norm_pairs` returns them.
    """
    values = {name: torch.tensor(array) for name, array in stored.items()}
    for convolution, norm in pairs.items():
        if f"{norm}.running_mean" not in values and f"{convolution}.bias" in values:
            values |= _bias_as_norm(network, convolution, norm, values[f"{convolution}.bias"])
    state = network.state_dict()
    values |= {name: tensor for name, tensor in state.items() if name.endswith(NORM_COUNTER)}
    missing = [n for n, t in state.items() if n not in values or values[n].shape != t.shape]
    if missing:
        more = (
            f" and {len(missing) - MAX_LISTED_TENSORS} more"
            if len(missing) > MAX_LISTED_TENSORS
            else ""
        )
        raise WeightsError(
            f"{file} does not hold {', '.join(missing[:MAX_LISTED_TENSORS])}{more}",
            "train from the .safetensors that it was made of",
        )
    network.load_state_dict({name: values[name] for name in state})


def _bias_as_norm(
    network: nn.Module, convolution: str, norm: str, bias: Tensor
) -> dict[str, Tensor]:
    """Return tensors of a batch norm that only adds `bias`, and a zero bias for its convolution."""
    epsilon = network.get_submodule(norm).eps
    assert isinstance(epsilon, float)
    zero, one = torch.zeros_like(bias), torch.ones_like(bias)
    parts = {"running_mean": zero, "running_var": one - epsilon, "weight": one, "bias": bias}
    return {f"{convolution}.bias": zero} | {f"{norm}.{part}": t for part, t in parts.items()}


def _check_same_outputs(network: nn.Module, file: Path, examples: list[Example]) -> None:
    """Raise WeightsError if a network and the file that it came from differ on the examples."""
    session = open_onnx_file(file)
    for example in examples:
        inputs = {name: tensor.numpy() for name, tensor in example.items()}
        with torch.inference_mode():
            found = output_difference("onnx", session.run, inputs, network(**example).numpy())
        _check_difference(found, file)


def _check_difference(found: OutputDifference, file: Path) -> None:
    """Raise WeightsError if a network differs from the file that it came from."""
    # Phrased so that NaN fails.
    if not found.largest <= MAX_DIFFERENCE:
        raise WeightsError(
            f"what came back from {file} differs from it by {found.largest:.1e}"
            f" at {found.width}×{found.height}",
            "train from the .safetensors that it was made of",
        )
