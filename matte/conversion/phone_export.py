"""Export networks for phones: LiteRT files (.tflite) of one size, channels last.

The converter needs other versions of its packages than the rest of matte: it lives in an
environment of its own (`make .venv-phone/all`).
"""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.arrays import FloatArray, Image
from matte.conversion.onnx_to_torch import is_own_file, torch_from_onnx
from matte.conversion.parity import OutputDifference
from matte.errors import BackendError, WeightsError, install_command
from matte.files import write_file
from matte.imaging.letterbox import letterbox
from matte.segmentation.deeplab_unet import CONTEXT_CHANNELS, PictureContext
from matte.weights.store import Weights

PHONE_SUFFIX = ".tflite"
PHONE_KINDS = ("segmenter", "modnet")  # of one picture; a refiner's trimap is made by matte's line
SIZE_MULTIPLE = 32
MAX_DIFFERENCE = 1e-3  # of float32, largest, to torch
MAX_MEAN_DIFFERENCE = 0.1  # of int8 on a picture, to torch: what is farther is broken
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


class SummedContext(nn.Module):
    """A DeepLab's context without repeating the picture's mean, which LiteRT can't do.

    The convolution of both joined is the sum of one for each.
    """

    def __init__(self, context: PictureContext) -> None:
        super().__init__()
        convolution, *rest = context.project
        assert isinstance(convolution, nn.Conv2d)
        self.point, self.pool, self.rest = context.point, context.pool, nn.Sequential(*rest)
        weight = convolution.weight.detach()
        self.of_mean, self.of_point = (
            nn.Conv2d(CONTEXT_CHANNELS, CONTEXT_CHANNELS, 1, bias=bias) for bias in (True, False)
        )
        self.of_mean.weight = nn.Parameter(weight[:, :CONTEXT_CHANNELS].clone())
        self.of_point.weight = nn.Parameter(weight[:, CONTEXT_CHANNELS:].clone())
        assert self.of_mean.bias is not None
        with torch.no_grad():
            bias = convolution.bias
            self.of_mean.bias.copy_(torch.zeros(CONTEXT_CHANNELS) if bias is None else bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, 256, H, W) as `PictureContext` does."""
        mean = self.of_mean(self.pool(features.mean(dim=(2, 3), keepdim=True)))
        joined: Tensor = self.rest(self.of_point(self.point(features)) + mean)
        return joined


class CroppedTransposition(nn.Module):
    """A transposed convolution whose padding is cut off afterwards: LiteRT knows none."""

    def __init__(self, convolution: nn.ConvTranspose2d) -> None:
        super().__init__()
        before, after = convolution.in_channels, convolution.out_channels
        self.convolution = nn.ConvTranspose2d(before, after, 3, stride=2)
        self.convolution.load_state_dict(convolution.state_dict())

    def forward(self, features: Tensor) -> Tensor:
        """Return features of twice the size."""
        large: Tensor = self.convolution(features)
        return large[:, :, 1:, 1:]


def replace_for_phones(network: nn.Module) -> None:
    """Replace layers that LiteRT can't convert by others that compute the same."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, PictureContext):
                setattr(module, name, SummedContext(child))
            elif isinstance(child, nn.ConvTranspose2d) and child.output_padding == (1, 1):
                setattr(module, name, CroppedTransposition(child))


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
        with _quiet_converters():
            _convert(network, file, (height, width), flat)
            if pictures:
                file = _quantise(file, inputs)
        examples = (
            inputs[:: -(-len(inputs) // MAX_COMPARED_PICTURES)] if inputs else _noise(height, width)
        )
        found = tuple(_differences(network, file, examples, height, width))
        for d in found:
            limits = (1.0, MAX_MEAN_DIFFERENCE) if pictures else (MAX_DIFFERENCE, MAX_DIFFERENCE)
            # Phrased so that NaN fails.
            if not (d.largest <= limits[0] and d.mean <= limits[1]):
                raise WeightsError(
                    f"for phones the network differs by {d.largest:.1e}, {d.mean:.1e} on average",
                    "export it in fp32, or as ONNX",
                )
        write_file(path, file.read_bytes(), overwrite)
    return PhoneFile(path, found)


def open_phone_file(path: Path, threads: int = 1) -> Any:
    """Return LiteRT's interpreter for a file, ready to run; it is not for strangers' files."""
    with _needed_packages():
        from ai_edge_litert.interpreter import Interpreter
    with _quiet_converters():
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


def run_phone_file(interpreter: Any, image: FloatArray) -> FloatArray:
    """Return the output of a file for a picture (1, H, W, 3) in 0 … 1."""
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(source["index"], _as_stored(image, source))
    interpreter.invoke()
    return _as_real(interpreter.get_tensor(target["index"]), target)


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
    with _needed_packages():
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
    with _needed_packages():
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


def _as_stored(image: FloatArray, details: dict[str, Any]) -> NDArray[Any]:
    """Return a picture as an input of a file takes it: in float32, or in its int8."""
    scale, zero = details["quantization"]
    if details["dtype"] == np.float32:
        return image
    limits = np.iinfo(details["dtype"])
    stored = np.rint(image / scale + zero).clip(limits.min, limits.max)
    return np.asarray(stored, details["dtype"])


def _as_real(values: NDArray[Any], details: dict[str, Any]) -> FloatArray:
    """Return an output of a file in float32."""
    scale, zero = details["quantization"]
    if details["dtype"] == np.float32:
        return np.asarray(values, np.float32)
    return np.asarray((values.astype(np.float32) - zero) * np.float32(scale), np.float32)


@contextlib.contextmanager
def _needed_packages() -> Iterator[None]:
    """Turn a missing package, within the block, into an error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        cause = f"files for phones need {error.name}"
        raise BackendError(cause, install_command("phone")) from error


@contextlib.contextmanager
def _quiet_converters() -> Iterator[None]:
    """Keep what the converter and LiteRT write by themselves off both streams, unless it fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("absl").setLevel(logging.ERROR)
    sys.stdout.flush()
    with TemporaryDirectory() as folder, (Path(folder) / "lines").open("wb") as lines:
        saved = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in saved:
                os.dup2(lines.fileno(), number)
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
        finally:
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)
