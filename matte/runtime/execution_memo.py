"""The fastest execution of each network, remembered on disk for this machine."""

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from matte.configs.places import cache_folder
from matte.configs.settings import RuntimeSettings
from matte.errors import MatteError
from matte.runtime.backends import BACKENDS, FASTEST_FIRST, is_allowed_device
from matte.runtime.engine_store import engine_names
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import nvidia_gpus
from matte.runtime.machine import processor_name
from matte.runtime.records import read_record, record_name, write_record
from matte.runtime.threads import usable_threads

RUNTIME_PACKAGES = ("openvino", "onnxruntime", "torch", "tensorrt")


def remembered_execution(network: NetworkSource, settings: RuntimeSettings) -> Execution | None:
    """Return the execution that measured as a network's fastest on this machine, if any did."""
    if not network.digest:
        return None
    try:
        execution = Execution(**read_record(memo_file(network, settings))["way"])
    except (KeyError, TypeError):
        return None
    return execution if _can_be(execution, network, settings) else None


def _can_be(execution: Execution, network: NetworkSource, settings: RuntimeSettings) -> bool:
    """Return whether a file's execution is one of this network that the settings allow."""
    words = (execution.backend, execution.device, execution.precision, execution.why)
    if not all(isinstance(word, str) for word in words):
        return False
    backend, device, precision, _ = words
    # Engines were compared when they were built.
    trusted = precision in ("fp32", *network.accurate_precisions) or backend == "tensorrt"
    return (
        backend in BACKENDS
        and settings.backend in ("auto", backend)
        and is_allowed_device(device, settings)
        and precision in FASTEST_FIRST
        and (trusted if settings.precision == "auto" else settings.precision == precision)
        and (precision != "int8" or network.int8 is not None)
    )


def remember_execution(
    network: NetworkSource,
    settings: RuntimeSettings,
    execution: Execution,
    failed: Mapping[Execution, MatteError],
) -> None:
    """Write down a network's fastest execution, and why others failed; a full disk is ignored."""
    memo = {"way": asdict(execution), "failed": {str(e): str(why) for e, why in failed.items()}}
    write_record(memo_file(network, settings), memo)


def forget_execution(network: NetworkSource, settings: RuntimeSettings) -> None:
    """Remove what is remembered of a network, so that its executions are measured again."""
    with suppress(OSError):
        memo_file(network, settings).unlink(missing_ok=True)


def can_remember(network: NetworkSource, settings: RuntimeSettings) -> bool:
    """Return whether a network's fastest execution can be written down; makes the folder."""
    folder = memo_file(network, settings).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return bool(network.digest) and os.access(folder, os.W_OK)


def memo_file(network: NetworkSource, settings: RuntimeSettings) -> Path:
    """Return the file for a network's fastest execution; another machine has another file."""
    asked = (
        settings.backend,
        settings.device,
        settings.precision,
        settings.require_gpu,
        settings.torch_compile,
    )
    threads = settings.threads or usable_threads()
    facts = (
        network.digest,
        network.accurate_precisions,
        *_modification_stamps([network.int8] if network.int8 else []),
        asked,
        threads,
        *machine_fingerprint(),
        *engine_names(network),  # a new engine has not been measured
    )
    return cache_folder() / "choices" / f"{record_name(*facts)}.json"


def machine_fingerprint() -> tuple[str, ...]:
    """Return what a machine's speeds depend on: processor, graphics drivers, runtimes."""
    return (platform.machine(), processor_name(), *_graphics_drivers(), *_runtime_stamps())


def _graphics_drivers() -> Iterator[str]:
    """Yield the names of NVIDIA's GPUs, and what Linux lists of graphics drivers."""
    yield from nvidia_gpus()
    with suppress(OSError):
        yield Path("/proc/driver/nvidia/version").read_text()
    yield from sorted(str(path) for path in Path("/dev/dri").glob("renderD*"))


def _runtime_stamps() -> Iterator[str]:
    """Return when each runtime was installed; asking for their versions takes far longer."""
    specs = [find_spec(package) for package in RUNTIME_PACKAGES]
    return _modification_stamps(
        [Path(s.origin) for s in specs if s is not None and s.origin is not None]
    )


def _modification_stamps(files: Iterable[Path]) -> Iterator[str]:
    """Yield each file's path and time of modification; missing files are skipped."""
    for file in files:
        with suppress(OSError):
            yield f"{file} {file.stat().st_mtime_ns}"
