"""Open a network by its fastest execution on this machine: measured once, then remembered."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteError, MatteWarning
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import can_remember, remember_execution
from matte.runtime.session import Session, trained_size
from matte.watching import TRYING_STAGE, tell_watcher

DEFAULT_EXAMPLE_PIXELS = 320  # a side of the example input, where the network names no size
TIMING_ROUNDS = 5
TIMING_LOCK = threading.Lock()  # two networks that are measured at once would slow each other
# Another execution than the likely fastest is chosen if it takes less than this share of its time:
# less may be another process's doing, and a second runtime takes time and memory to load.
SWITCH_RATIO = 0.75
# How far results may lie from those of the first fp32 execution, (largest, mean): what lies farther
# is broken. Whether bf16 or int8 is as good was measured before, on pictures.
TOLERANCES = {"fp32": (1e-3, 1e-4)}
ROUNDED_TOLERANCE = (np.inf, 0.05)


def open_fastest(
    network: NetworkSource,
    executions: Sequence[Execution],
    settings: RuntimeSettings,
    open_one: Callable[[Execution], Session],
) -> Session:
    """Open a network by the fastest execution whose results are right, and remember which it is.

    `executions`: at least one, the likely fastest first. Where nothing can be remembered, the first
    that opens is chosen without measuring. Executions that fail are warned of; if all do, the error
    of the first is raised.
    """
    failed: dict[Execution, MatteError] = {}
    if not can_remember(network, settings):
        for execution, session in _open_each(executions, open_one, failed):
            _warn_of_failures(failed)
            return _with_reason(session, execution, "likely the fastest; nothing can be remembered")
        raise failed[executions[0]]
    tell_watcher(TRYING_STAGE, 0)
    with TIMING_LOCK:
        sessions = dict(_open_each(executions, open_one, failed))
        seconds = _measure_seconds(sessions, failed)
    if not seconds:
        raise failed[executions[0]]
    _warn_of_failures(failed)
    best, first = min(seconds, key=seconds.__getitem__), next(iter(seconds))
    reason = "the fastest here" if seconds[best] else "untried: its inputs are no pictures"
    if seconds[best] > SWITCH_RATIO * seconds[first]:
        best, reason = first, "none is clearly faster here"
    times = ", ".join(f"{execution} {1000 * s:.1f} ms" for execution, s in seconds.items())
    session = _with_reason(sessions[best], best, f"{reason} ({times})")
    remember_execution(network, settings, session.execution, failed)
    return session


def _open_each(
    executions: Sequence[Execution],
    open_one: Callable[[Execution], Session],
    failed: dict[Execution, MatteError],
) -> Iterator[tuple[Execution, Session]]:
    """Yield the executions that open, with their sessions; errors of others go into `failed`."""
    for execution in executions:
        try:
            yield execution, open_one(execution)
        except MatteError as error:
            failed[execution] = error


def _warn_of_failures(failed: Mapping[Execution, MatteError]) -> None:
    """Warn of each execution that failed, with its error."""
    for execution, error in failed.items():
        warnings.warn(f"{execution} is left out: {error}", MatteWarning, stacklevel=4)


def _with_reason(session: Session, execution: Execution, why: str) -> Session:
    """Return the session with its execution, and why that was chosen."""
    session.execution = replace(execution, why=why)
    return session


def _measure_seconds(
    sessions: Mapping[Execution, Session], failed: dict[Execution, MatteError]
) -> dict[Execution, float]:
    """Return the seconds of each execution whose results are right, in the sessions' order.

    Errors of the others go into `failed`. Networks whose inputs are no pictures are not run: all
    their executions take 0 seconds.
    """
    inputs = _example_inputs(next(iter(sessions.values()))) if sessions else None
    if inputs is None:
        return dict.fromkeys(sessions, 0.0)
    seconds = dict.fromkeys(_right_executions(sessions, inputs, failed), np.inf)
    for _ in range(TIMING_ROUNDS):  # in turns, so that a busy moment hits all
        for execution in list(seconds):
            start = time.perf_counter()
            try:
                sessions[execution].run(inputs)
            except MatteError as error:
                failed[execution] = error
                del seconds[execution]
                continue
            seconds[execution] = min(seconds[execution], time.perf_counter() - start)
    return seconds


def _right_executions(
    sessions: Mapping[Execution, Session],
    inputs: Mapping[str, NDArray[np.float32]],
    failed: dict[Execution, MatteError],
) -> list[Execution]:
    """Return the executions whose results agree with the first in fp32, a CPU's before a GPU's.

    Errors of the others go into `failed`.
    """
    outputs = {}
    for execution, session in sessions.items():
        try:
            outputs[execution] = list(session.run(inputs).values())
        except MatteError as error:
            failed[execution] = error
    exact = sorted((e for e in outputs if e.precision == "fp32"), key=lambda e: e.device != "cpu")
    right = []
    for execution, values in outputs.items():
        if outputs_agree(values, outputs[exact[0]] if exact else values, execution.precision):
            right.append(execution)
        else:
            than = f"those of {exact[0]}" if exact else "numbers"
            failed[execution] = BackendError(f"its results are not {than}")
    return right


def outputs_agree(found: Sequence[Any], expected: Sequence[Any], precision: str) -> bool:
    """Return whether two lists of outputs are the same, within the precision's tolerance."""
    if [values.shape for values in found] != [values.shape for values in expected]:
        return False
    largest, mean = TOLERANCES.get(precision, ROUNDED_TOLERANCE)
    for values, others in zip(found, expected, strict=True):
        size = max(1.0, float(np.abs(others).max(initial=0)))
        difference = np.abs(values - others) / size
        # Phrased so that NaN fails.
        if not (difference.max(initial=0) <= largest and difference.mean() <= mean):
            return False
    return True


def _example_inputs(session: Session) -> dict[str, NDArray[np.float32]] | None:
    """Return example inputs of the network's own size; None if its inputs are no pictures."""
    from matte.runtime.example_inputs import portrait_inputs

    size = trained_size(session) or DEFAULT_EXAMPLE_PIXELS
    height = width = None
    for shape in session.inputs.values():
        is_picture = len(shape) == 4 and shape[0] in (None, 1) and shape[1] in (None, 1, 3)
        if not (is_picture or len(shape) == 1):
            return None
        if is_picture:
            height, width = shape[2:]
    return portrait_inputs(session.inputs, 1, height or size, width or size)
