"""What a network costs: its input, parameters and multiplications, and its time by runtime."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import Config, RuntimeSettings
from matte.errors import BackendError, MatteError
from matte.media.pictures import read_image
from matte.metrics.timings import TimingSpread, summarise_timings
from matte.onnx_files import count_parameters
from matte.pipeline.build import segmenter_of
from matte.pipeline.networks import OpenNetwork, as_runtime_network
from matte.runtime.backends import BACKEND_PACKAGES, possible_executions
from matte.runtime.example_inputs import PORTRAIT_FILE
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.fastest import outputs_agree
from matte.runtime.mac_count import count_macs
from matte.runtime.opener import open_execution
from matte.runtime.session import Session

TIMED_BACKENDS: tuple[Any, ...] = ("onnx", "openvino")  # unless --backend names another
DEFAULT_RUNS = 20
# A slow network runs less often: for this long, though at least this often.
MAX_SECONDS, MIN_RUNS = 10.0, 3

Inputs = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class RuntimeTiming:
    """The milliseconds of a network on one runtime, alone and warm; None with the `error`.

    `difference` is the largest one of its outputs to those of the first runtime.
    """

    ms: TimingSpread | None
    difference: float | None = None
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the timing in plain JSON values."""
        ms = self.ms.as_json() if self.ms else None
        return {"ms": ms, "difference": self.difference, "error": self.error}


@dataclass(frozen=True, slots=True)
class SegmenterCost:
    """What a network costs for the square sample portrait.

    `height` and `width` are its input's; `parameters` those that its file holds; `macs` the
    multiply-accumulate operations, None if they can't be counted; `runtimes` the timings by
    backend, device and precision.
    """

    height: int
    width: int
    parameters: int
    macs: int | None
    runtimes: Mapping[str, RuntimeTiming]

    def as_json(self) -> dict[str, Any]:
        """Return the cost in plain JSON values."""
        return {
            "input": {"width": self.width, "height": self.height},
            "parameters": self.parameters,
            "macs": self.macs,
            "runtimes": {name: timing.as_json() for name, timing in self.runtimes.items()},
        }


def measure_cost(found: OpenNetwork, config: Config, runs: int = DEFAULT_RUNS) -> SegmenterCost:
    """Return what an open segmenter's network costs, timed on each runtime of `TIMED_BACKENDS`.

    All get the same inputs: those that the segmenter makes of the sample portrait. Times are in
    fp32 on the likely fastest device, unless the settings name backend, precision or device.
    """
    inputs = _example_inputs(found, config)
    network = as_runtime_network(found.weights)
    height, width = _picture_size(inputs)
    return SegmenterCost(
        height,
        width,
        count_parameters(network.path),
        count_macs(network.path, inputs),
        _time_runtimes(network, config.runtime, inputs, runs),
    )


class _InputRecorder:
    """A session that keeps the inputs of its last run."""

    def __init__(self, session: Session) -> None:
        self.execution, self.inputs = session.execution, session.inputs
        self.last: dict[str, NDArray[np.float32]] = {}
        self._session = session

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network."""
        self.last = dict(inputs)
        return self._session.run(inputs)

    def metadata(self) -> dict[str, str]:
        """Return the metadata of the network's file."""
        return self._session.metadata()


def _example_inputs(found: OpenNetwork, config: Config) -> Inputs:
    """Return what the segmenter of an open network feeds it for the sample portrait."""
    recorder = _InputRecorder(found.session)
    segmenter_of(replace(found, session=recorder), config).segment(read_image(PORTRAIT_FILE))
    return recorder.last


def _picture_size(inputs: Inputs) -> tuple[int, int]:
    """Return height and width of a network's picture, whether its channels are first or last."""
    _, *lengths = next(iter(inputs.values())).shape
    height, width = lengths[:2] if lengths[-1] in (1, 3) else lengths[1:]
    return height, width


def _time_runtimes(
    network: NetworkSource, settings: RuntimeSettings, inputs: Inputs, runs: int
) -> dict[str, RuntimeTiming]:
    """Return the timings of a network on the runtimes, each by itself, one after the other."""
    found: dict[str, RuntimeTiming] = {}
    expected: list[NDArray[np.float32]] = []
    for name, execution in _executions(network, settings).items():
        if isinstance(execution, str):
            found[name] = RuntimeTiming(None, error=execution)
            continue
        try:
            session = open_execution(network, execution, settings)
            outputs = list(session.run(inputs).values())
            expected = expected or outputs
            found[name] = _compare_and_time(session, inputs, runs, outputs, expected)
        except MatteError as error:
            found[name] = RuntimeTiming(None, error=str(error))
    return found


def _compare_and_time(
    session: Session,
    inputs: Inputs,
    runs: int,
    outputs: Sequence[NDArray[np.float32]],
    expected: Sequence[NDArray[np.float32]],
) -> RuntimeTiming:
    """Return the timing of a session that has run once, unless its outputs are not as expected."""
    difference = _largest_difference(outputs, expected)
    if not outputs_agree(outputs, expected, session.execution.precision):
        return RuntimeTiming(None, difference, "its results are not those of the first runtime")
    return RuntimeTiming(_time_session(session, inputs, runs), difference)


def _executions(network: NetworkSource, settings: RuntimeSettings) -> dict[str, Execution | str]:
    """Return how the installed runtimes run a network by their names, or why they don't."""
    precision = "fp32" if settings.precision == "auto" else settings.precision
    named = settings.backend != "auto"
    found: dict[str, Execution | str] = {}
    for backend in (settings.backend,) if named else TIMED_BACKENDS:
        if not (named or find_spec(BACKEND_PACKAGES[backend])):
            continue
        asked = replace(settings, backend=backend, precision=precision)
        try:
            execution = possible_executions(network, asked)[0]
        except BackendError as error:
            if named:
                raise
            found[backend] = str(error)
        else:
            found[str(execution)] = execution
    return found


def _largest_difference(
    found: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]]
) -> float | None:
    """Return the largest difference of two lists of outputs; None if that is no number."""
    if [values.shape for values in found] != [values.shape for values in expected]:
        return None
    pairs = zip(found, expected, strict=True)
    largest = max((float(np.abs(a - b).max(initial=0)) for a, b in pairs), default=0.0)
    return largest if math.isfinite(largest) else None


def _time_session(session: Session, inputs: Inputs, runs: int) -> TimingSpread:
    """Return the milliseconds of repeated runs of a session that has run once already."""
    session.run(inputs)
    times: list[float] = []
    end = time.perf_counter() + MAX_SECONDS
    while len(times) < runs and (len(times) < MIN_RUNS or time.perf_counter() < end):
        start = time.perf_counter()
        session.run(inputs)
        times.append(1000 * (time.perf_counter() - start))
    return summarise_timings(times)
