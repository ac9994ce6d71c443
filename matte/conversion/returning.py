"""The way back: matte's own ONNX files as the torch networks that they were made of.

Norms that became part of convolutions come back as norms that only add a bias; give them real
statistics before training (`matte.training.start.refit_norms`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.conversion.export import segmenter_cases
from matte.conversion.folding import norm_pairs
from matte.conversion.graphs import COUNTS, stored_tensors
from matte.conversion.modnet_export import modnet_cases
from matte.conversion.refiner_export import refiner_cases
from matte.conversion.writing import Case, compared
from matte.errors import MatteError, WeightsError
from matte.modnet.adapter import DEFAULT_SIDE
from matte.modnet.network import KIND as MODNET
from matte.modnet.network import ModnetInfo
from matte.modnet.network import build_network as build_modnet
from matte.refiner.checkpoint import KIND as REFINER
from matte.refiner.network import Design, GcaNetwork
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.runtime.opener import open_onnx_file
from matte.segmentation.network import KIND as SEGMENTER
from matte.segmentation.network import Probability
from matte.segmentation.network import build_network as build_segmenter

SAME = 1e-3  # largest difference between the file and the network that came back
NAMED = 3  # tensors that a refusal lists


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """A torch network in evaluation mode, of which kind, and what its ONNX file tells of it.

    `runs` is the network with the inputs and the output of the file: of a segmenter,
    probabilities, where `network` gives logits.
    """

    kind: str
    network: nn.Module
    runs: nn.Module
    told: Mapping[str, str]


def is_own(file: Path) -> bool:
    """Whether matte wrote that ONNX file."""
    return "kind" in told_by(file)


def told_by(file: Path) -> dict[str, str]:
    """What an ONNX file tells of itself; the keys that matte writes, without their prefix."""
    return _told(_loaded(file))


def from_onnx(file: Path) -> Returned:
    """The torch network that `file` was made of. It gives what the file gives: that is tried."""
    model = _loaded(file)
    told = _told(model)
    if "kind" not in told:
        raise WeightsError(f"{file} does not tell what it is of", "give a file that matte wrote")
    try:
        runs, cases = _built(told)
    except (KeyError, TypeError, ValueError, MatteError) as error:
        raise WeightsError(
            f"{file} tells of a network that matte can't build", "get it again"
        ) from error
    _fill(runs.eval(), stored_tensors(model), norm_pairs(runs, cases[0]), file)
    _refuse_other(runs, file, cases)
    network = runs.network if isinstance(runs, Probability) else runs
    return Returned(told["kind"], network, runs, told)


def _loaded(file: Path) -> onnx.ModelProto:
    try:
        return onnx.load(file)
    # The parser's errors have no common class below Exception.
    except Exception as error:
        raise WeightsError(f"can't read {file}", "give a whole ONNX file") from error


def _told(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key.removeprefix("matte."): entry.value for entry in model.metadata_props}


def _built(told: Mapping[str, str]) -> tuple[nn.Module, list[Case]]:
    """The network with random weights, and inputs for it."""
    if told["kind"] == SEGMENTER:
        return Probability(build_segmenter(told["architecture"])), segmenter_cases()
    if told["kind"] == MODNET:
        numbers = float(told.get("width", 1)), int(told.get("size", DEFAULT_SIDE))
        info = ModnetInfo(told["encoder"], told["context"], *numbers)
        return build_modnet(info), modnet_cases()
    if told["kind"] != REFINER:
        raise KeyError(told["kind"])
    design = json.loads(told["design"])
    slim = told.get("architecture") == "gca-slim"
    network = SlimNetwork(SlimDesign(**design)) if slim else GcaNetwork(Design(**design))
    return network, refiner_cases(network)


def _fill(
    network: nn.Module,
    stored: Mapping[str, NDArray[np.float32]],
    pairs: Mapping[str, str],
    file: Path,
) -> None:
    """Puts the stored tensors into the network, each in its place."""
    values = {name: torch.tensor(array) for name, array in stored.items()}
    for convolution, norm in pairs.items():
        if f"{norm}.running_mean" not in values and f"{convolution}.bias" in values:
            values |= _only_a_bias(network, convolution, norm, values[f"{convolution}.bias"])
    state = network.state_dict()
    values |= {name: tensor for name, tensor in state.items() if name.endswith(COUNTS)}
    missing = [n for n, t in state.items() if n not in values or values[n].shape != t.shape]
    if missing:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise WeightsError(
            f"{file} does not hold {', '.join(missing[:NAMED])}{more}",
            "train from the .safetensors that it was made of",
        )
    network.load_state_dict({name: values[name] for name in state})


def _only_a_bias(
    network: nn.Module, convolution: str, norm: str, bias: Tensor
) -> dict[str, Tensor]:
    """The tensors of a norm that adds a bias, and a bias of the convolution that is none."""
    epsilon = network.get_submodule(norm).eps
    assert isinstance(epsilon, float)
    zero, one = torch.zeros_like(bias), torch.ones_like(bias)
    parts = {"running_mean": zero, "running_var": one - epsilon, "weight": one, "bias": bias}
    return {f"{convolution}.bias": zero} | {f"{norm}.{part}": t for part, t in parts.items()}


def _refuse_other(network: nn.Module, file: Path, cases: list[Case]) -> None:
    session = open_onnx_file(file)
    for case in cases:
        given = {name: tensor.numpy() for name, tensor in case.items()}
        with torch.inference_mode():
            found = compared("onnx", session.run, given, network(**case).numpy())
        # Phrased so that NaN fails.
        if not found.largest <= SAME:
            raise WeightsError(
                f"what came back from {file} differs from it by {found.largest:.1e}"
                f" at {found.width}×{found.height}",
                "train from the .safetensors that it was made of",
            )
