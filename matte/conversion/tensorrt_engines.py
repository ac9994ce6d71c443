"""Compile stored networks to TensorRT engines, each compared with torch before it is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matte.configs.loader import TRIMAP_FREE
from matte.configs.settings import Config
from matte.conversion.network_export import torch_reference
from matte.errors import BackendError, SettingError
from matte.pipeline.networks import as_runtime_network
from matte.refiner import REFINERS
from matte.runtime.engine_compiler import INSTALL_COMMAND, CompiledEngine, compile_network
from matte.runtime.engine_parity import ENGINE_TOLERANCES
from matte.runtime.engine_shapes import EngineShapes, InputSize, default_shapes
from matte.runtime.execution import Execution
from matte.runtime.gpus import NO_NVIDIA_GPU, nvidia_gpus
from matte.weights.store import Weights, find_weights, weights_named

MEAN_TOLERANCE_SHARE = 0.1  # of the largest difference that is asked for, the largest mean


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """The precision, device and shapes of wanted engines; what is empty follows the network."""

    precision: str = ""  # fp16; by torch2trt fp32
    device: str = "gpu:0"
    via: str = "onnx"
    smallest: InputSize | None = None
    usual: InputSize | None = None
    largest: InputSize | None = None
    tolerance: float | None = None  # the largest difference to torch


def compile_weights(weights: Weights, wanted: EngineRequest) -> CompiledEngine:
    """Build a network's engine, compare it with torch at several sizes, and store it.

    One that is farther from torch than it may be is not installed.
    """
    precision = wanted.precision or ("fp16" if wanted.via == "onnx" else "fp32")
    if wanted.via == "torch2trt" and precision != "fp32":
        # TensorRT itself would choose what is calculated in half, an attention's logits too.
        raise SettingError(
            f"torch2trt can't keep in fp32 what {precision} would spoil",
            "use --via onnx, or --precision fp32",
        )
    check_can_build()
    execution = Execution("tensorrt", wanted.device, precision)
    largest, mean = ENGINE_TOLERANCES["fp16" if wanted.via == "torch2trt" else precision]
    if wanted.tolerance is not None:
        largest, mean = wanted.tolerance, MEAN_TOLERANCE_SHARE * wanted.tolerance
    build = None
    if wanted.via == "torch2trt":
        from matte.conversion.torch2trt import build_by_torch2trt

        build = build_by_torch2trt
    reference = torch_reference(weights)
    shapes = _requested_shapes(wanted, default_shapes(reference.inputs, weights.size))
    network = as_runtime_network(weights)
    return compile_network(
        network, execution, reference, shapes, (largest, mean), build, wanted.via
    )


def weights_to_compile(names: Sequence[str], config: Config | None) -> list[Weights]:
    """Return the networks of those names, or those that a preset runs, with its fallback."""
    if not names and config is None:
        raise SettingError("nothing to compile", "name networks, or a --preset")
    found = [weights_named(name) for name in names]
    if config is not None:
        if not config.modnet.modnet:
            found.append(find_weights("segmenter", config.segmentation.segmenter))
            if config.refiner.refiner not in REFINERS:
                found.append(find_weights("refiner", config.refiner.refiner))
        if config.modnet.modnet or config.pipeline.fallback == "modnet":
            found.append(find_weights("modnet", config.modnet.modnet or TRIMAP_FREE))
    return list({weights.path: weights for weights in found}.values())


def check_can_build() -> None:
    """Raise BackendError where no engine can be built."""
    from importlib.util import find_spec

    if find_spec("tensorrt") is None:
        raise BackendError("TensorRT is not installed", INSTALL_COMMAND)
    if not nvidia_gpus():
        raise BackendError(
            f"an engine can't be built here ({NO_NVIDIA_GPU})", "build it where it runs"
        )


def _requested_shapes(wanted: EngineRequest, usual: EngineShapes) -> EngineShapes:
    """Return the requested shapes; a missing one is the default, or as near as others allow."""
    middle = wanted.usual or usual.usual
    least = wanted.smallest or _per_length(min, usual.smallest, middle)
    most = wanted.largest or _per_length(max, usual.largest, middle)
    if wanted.usual is None:
        middle = _per_length(max, _per_length(min, middle, most), least)
    if wanted.smallest is None:
        least = _per_length(min, least, most)
    return EngineShapes(least, middle, most)


def _per_length(choose: Callable[[int, int], int], one: InputSize, other: InputSize) -> InputSize:
    """Return a size of which each length is chosen from two sizes."""
    batch, height, width = (choose(a, b) for a, b in zip(one, other, strict=True))
    return batch, height, width
