"""Strangers' networks, opened and run once in a process of its own before this one opens them.

A network is a program: it may never end, take all memory, or crash the runtime. What passes is
remembered by its hash, with the memory that it took. Networks of a manifest are not tried.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matte.configs.places import cache_folder
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError
from matte.limits import (
    MAX_TRIAL_BYTES,
    TRIAL_SLACK_BYTES,
    ChildResult,
    format_bytes,
    run_child,
    trial_seconds,
)
from matte.onnx_files import read_onnx_file
from matte.runtime.execution import NetworkSource
from matte.runtime.memory import available_bytes
from matte.runtime.records import read_record, record_name, write_record

# The backends in which a network is tried, on the processor, and the packages that they need.
TRIED_BACKENDS = {"onnx": "onnxruntime", "openvino": "openvino"}
CHILD_FUNCTION = "matte.runtime.trial_child:try_network"


def ensure_tried(network: NetworkSource, settings: RuntimeSettings) -> None:
    """Raise MatteError if a stranger's network never ends, takes too much memory, or crashes.

    It is tried the first time; then its hash is known.
    """
    if not network.is_stranger:
        return
    backends = _tried_backends(settings)
    file = _record_file(network.digest, backends)
    peak = _remembered_peak(file)
    if peak is None:
        peak = _try_in_child(network.path, backends, settings)
        write_record(file, {"peak_bytes": peak})
    if settings.max_memory is not None and peak > settings.max_memory:
        few = format_bytes(settings.max_memory)
        raise WeightsError(
            f"{network.path} takes {format_bytes(peak)}, and --max-memory is {few}",
            "raise --max-memory, or give a smaller network",
        )


def _tried_backends(settings: RuntimeSettings) -> tuple[str, ...]:
    """Return the backends in which a network is tried: the one that is named, or all there are."""
    named = [settings.backend] if settings.backend in TRIED_BACKENDS else list(TRIED_BACKENDS)
    return tuple(b for b in named if find_spec(TRIED_BACKENDS[b]))


def _record_file(digest: str, backends: Sequence[str]) -> Path:
    """Return the file that remembers that a network has passed."""
    return cache_folder() / "trials" / f"{record_name(digest, tuple(backends))}.json"


def _remembered_peak(file: Path) -> int | None:
    """Return the bytes that a network took when it passed; None if it never has."""
    peak = read_record(file).get("peak_bytes")
    return peak if isinstance(peak, int) and peak >= 0 else None


def _try_in_child(path: Path, backends: Sequence[str], settings: RuntimeSettings) -> int:
    """Try a network in a child process; return the bytes that it took, or raise what it did."""
    found = read_onnx_file(path)
    file_bytes = sum(file.stat().st_size for file in (path, *found.external))
    max_bytes = min(available_bytes(), settings.max_memory or MAX_TRIAL_BYTES)
    seconds = trial_seconds(file_bytes)
    arguments = [str(path), *backends]
    try:
        result = run_child(CHILD_FUNCTION, arguments, seconds, max_bytes + TRIAL_SLACK_BYTES)
    except OSError as error:
        cause = f"can't start a process that tries {path} ({error.strerror})"
        raise BackendError(cause, "free memory, or allow more processes") from error
    rows = _rows(result)
    memory = WeightsError(
        f"{path} takes over {format_bytes(max_bytes)} to be opened and run",
        "give a smaller network, or raise --max-memory",
    )
    if any(row.get("memory") for row in rows):
        raise memory
    if result.is_late:
        raise WeightsError(
            f"{path} does not end: it was tried for {seconds} s of computing",
            "give another network",
        )
    if not result.has_ended:
        raise WeightsError(
            f"{path} crashes when it is opened or run, or takes over {format_bytes(max_bytes)}",
            "get it again, or give another network",
        )
    errors = [row for row in rows if row.get("cause")]
    if len(errors) == len(backends) and errors:
        raise WeightsError(str(errors[0]["cause"]), str(errors[0].get("remedy", "")))
    return max((int(row.get("peak_bytes", 0)) for row in rows), default=0)


def _rows(result: ChildResult) -> list[dict[str, Any]]:
    """Return what the child said of each backend; a runtime's own lines are skipped."""
    rows = []
    for line in result.lines:
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            if isinstance(row, dict):
                rows.append(row)
    return rows
