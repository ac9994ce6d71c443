"""MODNet to ONNX.

The file is a drop-in for the authors': it takes `input`, float32 RGB −1 … 1 (batch, 3, height,
width) with any batch and any multiples of 32, and gives `output`, float32 alpha
(batch, 1, height, width).
"""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
import onnxscript.optimizer
import torch
from onnx import helper

from matte.conversion.graphs import OPSET, Difference, differences, refuse_difference, verified
from matte.errors import WeightsError
from matte.modnet.network import KIND, MULTIPLE, ModnetNetwork

SIZES = ((2, 64, 96), (1, 32, 32), (1, 160, 64), (1, 224, 352))  # batch, height, width
# Weights drawn at random amplify float32's rounding to 3e-4 in single pixels. What is not the
# same, a resampling or a norm, shows by 1e-2 and more.
SAME = 1e-3
# What the exporter says about itself, and about encoders that ask for sizes while they are traced.
TOLD = (
    "You are using the legacy TorchScript-based",
    "The feature will be removed",
    "Converting a tensor to a Python",
    "Constant folding",
)


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The file that was written, and how far the runtimes are from torch."""

    path: Path
    encoder: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        worst = max(self.differences, key=lambda d: d.largest)
        return (
            f"{self.path.name} (modnet, {self.encoder}):"
            f" at most {worst.largest:.1e} from torch ({worst.runtime})"
        )


def export_modnet(network: ModnetNetwork, path: Path) -> ParityReport:
    """Writes the network as ONNX and returns how well ONNX Runtime and OpenVINO agree with torch.

    Nothing is left at `path` when they don't.
    """
    network = copy.deepcopy(network).cpu().float().eval()
    with verified(path) as temporary:
        _trace(network, temporary)
        model = onnxscript.optimizer.optimize(onnx.load(temporary))
        notes = {"kind": KIND, **asdict(network.info)}
        helper.set_model_props(model, {f"matte.{key}": value for key, value in notes.items()})
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, temporary)
        found = tuple(differences(temporary, network, _cases()))
        refuse_difference(found, SAME)
    return ParityReport(path, network.info.encoder, found)


def _trace(network: ModnetNetwork, file: Path) -> None:
    # The tracing exporter takes 1 s where torch.export's takes 27, for the same graph. What it
    # freezes at the traced size in an encoder that asks for sizes, other sizes bring to light.
    free = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        for told in TOLD:
            warnings.filterwarnings("ignore", told)
        try:
            torch.onnx.export(
                network,
                (torch.zeros(2, 3, 2 * MULTIPLE, 3 * MULTIPLE),),
                file,
                input_names=["input"],
                output_names=["output"],
                opset_version=OPSET,
                dynamic_axes={"input": free, "output": free},
                dynamo=False,
            )
        except RuntimeError as error:  # the exporter's errors are of this class
            raise WeightsError(
                f"encoder {network.info.encoder!r} can't be exported"
                f" ({str(error).strip().partition('.')[0]})",
                "choose another",
            ) from error


def _cases() -> Iterator[dict[str, torch.Tensor]]:
    """Smooth noise: white noise is nothing that a network sees."""
    for batch, height, width in SIZES:
        random = torch.Generator().manual_seed(height)
        coarse = torch.rand(batch, 3, height // 16, width // 16, generator=random) * 2 - 1
        yield {"input": coarse.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)}
