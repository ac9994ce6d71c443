"""Export MODNet to ONNX.

The file is a drop-in for the authors': it takes `input`, float32 RGB −1 … 1 (batch, 3, height,
width) with any batch and any multiples of 32, and gives `output`, float32 alpha
(batch, 1, height, width).
"""

from dataclasses import asdict
from pathlib import Path

from matte.conversion.onnx_writer import write_network
from matte.conversion.parity import Example, ParityReport, smooth_noise
from matte.modnet.network import KIND, ModnetNetwork

EXAMPLE_SIZES = ((2, 64, 96), (1, 32, 32), (1, 160, 64), (1, 224, 352))  # batch, height, width
# Weights drawn at random amplify float32's rounding to 3e-4 in single pixels. What is not the
# same, a resampling or a norm, shows by 1e-2 and more.
MAX_DIFFERENCE = 1e-3


def export_modnet(network: ModnetNetwork, path: Path, *, half: bool = True) -> ParityReport:
    """Write the network as ONNX and return how well ONNX Runtime and OpenVINO agree with torch.

    Nothing is left at `path` when they don't. `half` stores the weights as float16.
    """
    info = {key: str(value) for key, value in asdict(network.info).items()}
    notes = {"kind": KIND, **info}
    return write_network(
        network, path, notes, modnet_examples(), "output", half=half, max_difference=MAX_DIFFERENCE
    )


def modnet_examples() -> list[Example]:
    """Return example inputs of several sizes, alone and in pairs."""
    return [{"input": smooth_noise(*size[:1], 3, *size[1:]) * 2 - 1} for size in EXAMPLE_SIZES]
