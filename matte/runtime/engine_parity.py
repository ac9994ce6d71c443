"""How far a TensorRT engine's results are from a reference, and how far they may be."""

from dataclasses import dataclass

import numpy as np

from matte.errors import BackendError, WeightsError
from matte.runtime.engine_shapes import EngineShapes, InputSize
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.session import Session

# Largest and mean difference to the reference, in alpha or probability, by precision.
ENGINE_TOLERANCES = {"fp32": (1e-4, 1e-5), "fp16": (1e-2, 1e-3), "bf16": (1e-2, 1e-3)}
MAX_PARITY_PIXELS = 700_000  # of a compared input: the reference may run on a CPU


@dataclass(frozen=True, slots=True)
class EngineDifference:
    """How far an engine's output is from the reference's at one input size, largest and mean."""

    size: InputSize
    largest: float
    mean: float


def parity_sizes(shapes: EngineShapes) -> tuple[InputSize, ...]:
    """Return the sizes, small and large, at which an engine is compared with its ONNX file."""
    batch, height, width = _shrink_for_parity(shapes.usual)
    few, low, narrow = shapes.smallest
    wanted = [
        (batch, height, width),
        (batch, width, height),
        (few, *_shrink_for_parity(shapes.largest)[1:]),
        (few, max(96, low), max(96, narrow)),
        (min(2, shapes.largest[0]), min(height, 320), min(width, 256)),
    ]
    return tuple(dict.fromkeys(size for size in wanted if shapes.holds(size))) or (shapes.smallest,)


def _shrink_for_parity(size: InputSize) -> InputSize:
    """Return the size, made smaller in about its shape if it is over MAX_PARITY_PIXELS."""
    batch, height, width = size
    while height * width > MAX_PARITY_PIXELS:
        height, width = (max(32, length * 3 // 4 // 32 * 32) for length in (height, width))
    return batch, height, width


def engine_difference(session: Session, reference: Session, size: InputSize) -> EngineDifference:
    """Return how far the outputs of an engine and its reference are apart on a portrait."""
    inputs = portrait_inputs(reference.inputs, *size)
    (found,), (expected,) = session.run(inputs).values(), reference.run(inputs).values()
    if found.shape != expected.shape:
        raise WeightsError(f"the engine gives {found.shape}, not {expected.shape}", "report it")
    difference = np.abs(found - expected)
    return EngineDifference(size, float(difference.max()), float(difference.mean()))


def check_engine_differences(
    network: NetworkSource,
    execution: Execution,
    found: tuple[EngineDifference, ...],
    tolerance: tuple[float, float],
) -> None:
    """Raise BackendError if an engine is farther from the reference than `tolerance` allows.

    `tolerance`: largest and mean difference, as in ENGINE_TOLERANCES.
    """
    for difference in found:
        # Phrased so that NaN fails.
        if not (difference.largest <= tolerance[0] and difference.mean <= tolerance[1]):
            raise BackendError(
                f"the engine of {network.path.name} in {execution.precision} differs by"
                f" {difference.largest:.1e} (mean {difference.mean:.1e}) at"
                f" {'x'.join(map(str, difference.size))} and is not installed",
                "use --precision fp32" if execution.precision != "fp32" else "give a --tolerance",
            )
