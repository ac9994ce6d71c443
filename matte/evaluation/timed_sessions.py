"""A network in each runtime: compared with the first, and timed in turns."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteError
from matte.metrics.timings import TimingSpread, summarise_timings
from matte.runtime.backends import BACKEND_PACKAGES, possible_executions
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.fastest import outputs_agree
from matte.runtime.opener import open_execution
from matte.runtime.session import Session

TIMED_BACKENDS: tuple[Any, ...] = ("onnx", "openvino")  # unless --backend names another
RUNS_OF_A_TURN = 4  # that are timed in a row, after one that is not
# A slow network runs less often: until it took this long, though at least this often.
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


@dataclass(frozen=True, slots=True, eq=False)
class TimedSession:
    """A session that has run once with these inputs, and the milliseconds of further runs."""

    session: Session
    inputs: Inputs
    difference: float | None
    ms: list[float] = field(default_factory=list)

    def take_turn(self, runs: int) -> None:
        """Run a few times in a row, unless `runs` times are there or it has taken too long."""
        if self._has_enough(runs):
            return
        self.session.run(self.inputs)
        for _ in range(RUNS_OF_A_TURN):
            if self._has_enough(runs):
                return
            start = time.perf_counter()
            self.session.run(self.inputs)
            self.ms.append(1000 * (time.perf_counter() - start))

    def timing(self) -> RuntimeTiming:
        """Return the times so far, at least one, summarised."""
        return RuntimeTiming(summarise_timings(self.ms), self.difference)

    def _has_enough(self, runs: int) -> bool:
        """Return whether there are `runs` times, or fewer of a slow network."""
        slow = len(self.ms) >= MIN_RUNS and sum(self.ms) > 1000 * MAX_SECONDS
        return slow or len(self.ms) >= runs


# Of a network by runtime; a runtime that gives no times has the reason instead.
RuntimeSessions = dict[str, TimedSession | RuntimeTiming]


def open_runtimes(
    network: NetworkSource, settings: RuntimeSettings, inputs: Inputs
) -> RuntimeSessions:
    """Return a network's sessions by runtime, compared with the first; or their errors."""
    found: RuntimeSessions = {}
    expected: list[NDArray[np.float32]] = []
    for name, execution in _executions(network, settings).items():
        if isinstance(execution, str):
            found[name] = RuntimeTiming(None, error=execution)
            continue
        try:
            session = open_execution(network, execution, settings)
            outputs = list(session.run(inputs).values())
        except MatteError as error:
            found[name] = RuntimeTiming(None, error=str(error))
            continue
        expected = expected or outputs
        difference = _largest_difference(outputs, expected)
        found[name] = TimedSession(session, inputs, difference)
        if not outputs_agree(outputs, expected, execution.precision):
            wrong = "its results are not those of the first runtime"
            found[name] = RuntimeTiming(None, difference, wrong)
    return found


def count_turns(runs: int) -> int:
    """Return how many turns the runs are done in."""
    return -(-runs // RUNS_OF_A_TURN)


def take_turns(sessions: RuntimeSessions, runs: int) -> None:
    """Let each runtime of a network run for a turn; one that fails is replaced by its error."""
    for runtime, each in sessions.items():
        if isinstance(each, TimedSession):
            try:
                each.take_turn(runs)
            except MatteError as error:
                sessions[runtime] = RuntimeTiming(None, each.difference, str(error))


def timings(sessions: RuntimeSessions) -> dict[str, RuntimeTiming]:
    """Return the timings of a network by runtime."""
    return {
        runtime: each.timing() if isinstance(each, TimedSession) else each
        for runtime, each in sessions.items()
    }


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
