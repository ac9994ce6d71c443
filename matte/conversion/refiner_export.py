"""Export refiner networks to ONNX.

The file takes `image`, float32 RGB 0 … 1 (batch, 3, height, width), `trimap`, float32 (batch, 1,
height, width) with 0, 0.5 and 1, and `unknown_ratio`, float32 (batch,), −1 for the trimap's own; a
network without attention has no use for the ratio and does not take it. It gives `alpha`, float32
(batch, 1, height, width), 0 and 1 where the trimap knows. Batch is free, height and width are
multiples of 32.
"""

import copy
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from matte.conversion.onnx_writer import write_network
from matte.conversion.parity import Example, ParityReport, smooth_noise
from matte.refiner.checkpoint import KIND, RefinerNetwork, architecture_of, load_network
from matte.refiner.gca import RATIO_INPUT
from matte.refiner.network import GcaNetwork, without_spectral_norm

EXAMPLE_SIZES = ((64, 96), (32, 64), (96, 160), (192, 128))


def export_refiner(checkpoint: Path, path: Path) -> ParityReport:
    """Write the network of a torch checkpoint as ONNX, its weights as float16."""
    return export_refiner_network(load_network(checkpoint), path, half=True)


def export_refiner_network(network: RefinerNetwork, path: Path, *, half: bool) -> ParityReport:
    """Write the network as ONNX and return how well ONNX Runtime and OpenVINO agree with torch.

    Nothing is left at `path` when they don't. `half` stores the weights as float16.
    """
    # Both are copies, on which the number of queries is changed.
    plain: RefinerNetwork = (
        without_spectral_norm(network)
        if isinstance(network, GcaNetwork)
        else copy.deepcopy(network)
    )
    plain.set_queries(None)
    design = json.dumps(asdict(plain.design))
    notes = {"kind": KIND, "architecture": architecture_of(plain), "design": design}
    return write_network(plain, path, notes, refiner_examples(plain), "alpha", half=half)


def refiner_examples(network: RefinerNetwork) -> list[Example]:
    """Return example inputs of several sizes, two pictures each.

    Of networks that take an unknown ratio, one picture has its own and one a given one.
    """
    examples: list[dict[str, Tensor]] = []
    for height, width in EXAMPLE_SIZES:
        noise = smooth_noise(2, 4, height, width)
        examples.append({"image": noise[:, :3], "trimap": (2.98 * noise[:, 3:]).floor() / 2})
        if network.design.attention:
            examples[-1][RATIO_INPUT] = torch.tensor([-1.0, 0.3])
    return list(examples)
