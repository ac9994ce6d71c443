"""What runs in the child process that tries a stranger's network."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteError, is_memory_error
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.opener import open_execution
from matte.runtime.session import Session, trained_size

TRIED_PIXELS = 320  # a side of the example, where a network names no size


def try_network(arguments: Sequence[str]) -> None:
    """Open a network's file in each backend, run it once, and print a line of JSON for each."""
    path, *backends = arguments
    network = NetworkSource(Path(path))
    for backend in backends:
        row: dict[str, Any] = {"backend": backend}
        try:
            settings = RuntimeSettings(backend=backend)  # type: ignore[arg-type]  # a name of them
            session = open_execution(network, Execution(backend), settings)
            _run_once(session)
        except MatteError as error:
            row |= {"cause": error.cause, "remedy": error.remedy}
            row["memory"] = _lacks_memory(error)
        except MemoryError:
            row["memory"] = True
        row["peak_bytes"] = _peak_bytes()
        print(json.dumps(row), flush=True)  # noqa: T201  # to the parent


def _run_once(session: Session) -> None:
    """Run a network on zeros of the size that it names; a shape that it refuses is no failure."""
    side = trained_size(session) or TRIED_PIXELS
    inputs = {}
    for name, shape in session.inputs.items():
        usual = [1, 3, side, side] if len(shape) == 4 else [1] * len(shape)
        if len(shape) == 4 and shape[3] == 3:  # channels last
            usual = [1, side, side, 3]
        lengths = [use if n is None else n for n, use in zip(shape, usual, strict=True)]
        inputs[name] = np.zeros(lengths, np.float32)
    try:
        session.run(inputs)
    except BackendError as error:
        if _lacks_memory(error):
            raise


def _lacks_memory(error: MatteError) -> bool:
    """Return whether an error, or the one that it stands for, says that memory is used up."""
    return is_memory_error(error) or is_memory_error(error.__cause__ or error)


def _peak_bytes() -> int:
    """Return the most bytes of memory that this process held; 0 where nobody counts."""
    with suppress(OSError, ValueError, IndexError):
        # Linux's ru_maxrss begins with what the parent held.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak << 10)
