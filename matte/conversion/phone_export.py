"""Export networks for phones: LiteRT files (.tflite) of one size, channels last.

The converter needs other versions of its packages than the rest of matte: it lives in an
environment of its own (`make .venv-phone/all`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from matte.arrays import FloatArray, Image
from matte.conversion.litert import (
    open_phone_file,
    phone_packages_required,
    run_phone_file,
    silenced_converters,
)
from matte.conversion.onnx_to_torch import is_own_file, torch_from_onnx
from matte.conversion.parity import OutputDifference
from matte.conversion.phone_layers import replace_for_phones
from matte.errors import WeightsError
from matte.files import write_file
from matte.imaging.letterbox import letterbox
from matte.weights.store import Weights

PHONE_SUFFIX = ".tflite"
PHONE_KINDS = ("segmenter", "modnet")  # of one picture; a refiner's trimap is made by matte's line
SIZE_MULTIPLE = 32
MAX_DIFFERENCE = 1e-3  # of float32, largest, to torch
MAX_MEAN_DIFFERENCE = 0.1  # of int8 over the pictures, to torch: what is farther is broken
MAX_COMPARED_PICTURES = 16
SIGNATURE, INPUT = "serving_default", "args_0"  # that the converter gives its files


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """A file for phones, and how far its output is from torch's on each picture."""

    path: Path
    differences: tuple[OutputDifference, ...]


class FlatOutput(nn.Module):
    """A network whose output (N, 1, H, W) has become (N, H · W)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return the map of pictures (N, 3, H, W), row after row."""
        values: Tensor = self.network(image)
        return values.flatten(1)


def export_for_phones(
    weights: Weights,
    path: Path,
    size: tuple[int, int] | None = None,
    pictures: Sequence[Image] = (),
    flat: bool = False,
    overwrite: bool = False,
) -> PhoneFile:
    """Write a stored network for LiteRT: RGB 0 … 1 (1, H, W, 3) to probabilities (1, H, W, 1).

    `size`: height and width; None: the square that it was trained at. With `pictures`, weights and
    activations are int8, calibrated on them. `flat`: the output is (1, H · W). The file is run and
    compared with torch, on the pictures or on noise; one that differs too much is not written.
    """
    network = _torch_network(weights)
    height, width = size or (weights.size, weights.size)
    if any(length < SIZE_MULTIPLE or length % SIZE_MULTIPLE for length in (height, width)):
        cause = f"the network can't be made for {width}×{height} pixels"
        raise WeightsError(cause, f"give --height and --width, multiples of {SIZE_MULTIPLE}")
    inputs = [letterbox(picture, height, width).pixels[None] for picture in pictures]
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"float32{PHONE_SUFFIX}"
        with silenced_converters():
            _convert(network, file, (height, width), flat)
            if pictures:
                file = _quantise(file, inputs)
        examples = (
            inputs[:: -(-len(inputs) // MAX_COMPARED_PICTURES)] if inputs else _noise(height, width)
        )
        found = tuple(_differences(network, file, examples, height, width))
        largest = max(d.largest for d in found)
        mean = sum(d.mean for d in found) / len(found)
        # Phrased so that NaN fails.
        if not (mean <= MAX_MEAN_DIFFERENCE if pictures else largest <= MAX_DIFFERENCE):
            raise WeightsError(
                f"for phones the network differs by {largest:.1e}, {mean:.1e} on average",
                "export it in fp32, or as ONNX",
            )
        write_file(path, file.read_bytes(), overwrite)
    return PhoneFile(path, found)


def _torch_network(weights: Weights) -> nn.Module:
    """Return the torch network, giving probabilities, of stored weights."""
    if weights.kind not in PHONE_KINDS:
        cause = f"a {weights.kind} is no network for phones"
        raise WeightsError(cause, "give a segmenter or a MODNet")
    if not is_own_file(weights.path):
        raise WeightsError(
            f"{weights.path.name} is not matte's own", "train or import it, or use its own export"
        )
    network = torch_from_onnx(weights.path).exported.eval()
    replace_for_phones(network)
    return network.eval()


def _convert(network: nn.Module, file: Path, size: tuple[int, int], flat: bool) -> None:
    """Write a torch network as a float32 file."""
    with phone_packages_required():
        import litert_torch
    module = FlatOutput(network) if flat else network
    last = litert_torch.to_channel_last_io(module, args=[0], outputs=[] if flat else [0])
    try:
        litert_torch.convert(last.eval(), (torch.zeros(1, *size, 3),)).export(str(file))
    # The converter's errors have no common class below Exception.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        cause = f"this network can't be converted for phones ({reason})"
        raise WeightsError(cause, "export it as ONNX") from error


def _quantise(file: Path, inputs: Sequence[FloatArray]) -> Path:
    """Return an int8 file of a float32 one, calibrated on inputs."""
    with phone_packages_required():
        from ai_edge_quantizer import quantizer, recipe
    quantised = file.with_name(f"int8{PHONE_SUFFIX}")
    work = quantizer.Quantizer(str(file))
    work.load_quantization_recipe(recipe.static_wi8_ai8())
    samples = {SIGNATURE: [{INPUT: image} for image in inputs]}
    ranges = work.calibrate(samples, num_threads=torch.get_num_threads())
    work.quantize(ranges).export_model(str(quantised))
    return quantised


def _differences(
    network: nn.Module, file: Path, examples: Sequence[FloatArray], height: int, width: int
) -> Iterator[OutputDifference]:
    """Yield how far a file's output is from torch's on each example (1, H, W, 3)."""
    interpreter = open_phone_file(file)
    for image in examples:
        with torch.inference_mode():
            expected = network(torch.from_numpy(image).permute(0, 3, 1, 2)).numpy()
        apart = np.abs(run_phone_file(interpreter, image).reshape(expected.shape) - expected)
        yield OutputDifference("litert", height, width, float(apart.max()), float(apart.mean()))


def _noise(height: int, width: int) -> list[FloatArray]:
    """Return smooth noise as a picture (1, H, W, 3)."""
    random = np.random.default_rng(height * width)
    coarse = random.random((1, height // 16, width // 16, 3), np.float32)
    return [np.ascontiguousarray(coarse.repeat(16, axis=1).repeat(16, axis=2))]
