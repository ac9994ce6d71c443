"""Export stored networks as ONNX files for use elsewhere: any size or one, fp32 or fp16."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxslim
import torch
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.conversion.onnx_to_torch import is_own_file, torch_from_onnx
from matte.conversion.parity import OutputDifference, output_difference
from matte.errors import SettingError, WeightsError
from matte.files import write_file
from matte.pipeline.networks import open_weights
from matte.runtime.mixed_precision import to_precision
from matte.runtime.opener import open_onnx_file
from matte.runtime.session import Session
from matte.runtime.torch import TorchSession
from matte.weights.store import Weights

SIZE_MULTIPLE = 32
COMPARED_SIZES = (
    (64, 96),
    (160, 64),
    (224, 352),
    (32, 32),
)  # for the comparison, where any size is allowed
# Largest and mean difference to torch. Shipped networks keep 5e-6 and 1.1e-7 in fp32, 1e-3 and 3e-5
# in fp16; a MODNet with random weights, which amplify rounding, 3e-4 and 3e-5, 3e-3 and 3e-4.
EXPORT_TOLERANCES = {"fp32": (1e-3, 1e-4), "fp16": (1e-2, 1e-3)}


@dataclass(frozen=True, slots=True)
class ExportedNetwork:
    """An exported file, and how far it is from its reference."""

    path: Path
    reference: str
    differences: tuple[OutputDifference, ...]


def export_weights(
    weights: Weights, path: Path, precision: str, size: tuple[int, int] | None, overwrite: bool
) -> ExportedNetwork:
    """Write a stored network as ONNX, slimmed, for one height and width or for any.

    It is compared with torch, or, for a network that matte neither stores for torch nor wrote, with
    the stored file. A file that differs too much is not written.
    """
    if size and any(length < SIZE_MULTIPLE or length % SIZE_MULTIPLE for length in size):
        raise SettingError(f"{size[1]}×{size[0]} pixels", f"give multiples of {SIZE_MULTIPLE}")
    model = onnx.load(weights.path)
    notes = {entry.key: entry.value for entry in model.metadata_props}
    if size:
        _fix_size(model, *size)
    model = onnxslim.slim(model)
    if precision == "fp16":
        model = to_precision(model, "fp16")
    onnx.helper.set_model_props(model, {**notes, "matte.precision": precision})
    reference = torch_reference(weights)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(model, file)
        exported = open_onnx_file(file)
        found = tuple(
            _difference_at(exported, reference, s) for s in ((size,) if size else COMPARED_SIZES)
        )
        largest, mean = EXPORT_TOLERANCES[precision]
        for d in found:
            # Phrased so that NaN fails.
            if not (d.largest <= largest and d.mean <= mean):
                raise WeightsError(
                    f"the exported network differs by {d.largest:.1e} (mean {d.mean:.1e})"
                    f" at {d.width}×{d.height}",
                    "export it as fp32" if precision == "fp16" else "report it",
                )
        write_file(path, file.read_bytes(), overwrite)
    return ExportedNetwork(path, reference.execution.backend, found)


def _fix_size(model: onnx.ModelProto, height: int, width: int) -> None:
    """Set the batch, height and width of a model's inputs and outputs, in place."""
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim, length in zip(dims, (1, None, height, width), strict=False):
            if length is not None:
                dim.dim_value = length
    del model.graph.value_info[:]


def torch_reference(weights: Weights) -> Session:
    """Return the stored network in torch; of files that others made, a session of the file."""
    settings = RuntimeSettings(
        backend="torch" if weights.checkpoint else "onnx",
        device="cpu",
        precision="fp32",
        threads=torch.get_num_threads(),
    )
    session = open_weights(weights, settings)
    if weights.checkpoint or not is_own_file(weights.path):
        return session
    return TorchSession(torch_from_onnx(weights.path).exported, dict(session.inputs), "")


def _difference_at(
    exported: Session, reference: Session, size: tuple[int, int]
) -> OutputDifference:
    """Return how far the exported network is from the reference at one size."""
    inputs = _random_inputs(exported.inputs, *size)
    (expected,) = reference.run(inputs).values()
    return output_difference(exported.execution.backend, exported.run, inputs, expected)


def _random_inputs(
    shapes: Mapping[str, tuple[int | None, ...]], height: int, width: int
) -> dict[str, NDArray[Any]]:
    """Return smooth noise for pictures, three levels for trimaps, −1 for an unknown ratio."""
    random = np.random.default_rng(height * width)
    inputs: dict[str, NDArray[Any]] = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            inputs[name] = np.full(1, -1, np.float32)
            continue
        coarse = random.random((1, shape[1] or 3, height // 16, width // 16), np.float32)
        smooth = coarse.repeat(16, axis=2).repeat(16, axis=3)
        if name == "trimap":
            smooth = np.floor(smooth * 2.98) / 2
        inputs[name] = (smooth * 2 - 1 if name == "input" else smooth).astype(np.float32)
    return inputs
