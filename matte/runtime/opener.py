"""Networks opened as sessions that are ready to run."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, SettingError
from matte.registry import resolve
from matte.runtime.backends import BACKENDS, fits_memory, possible_executions
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.execution_memo import forget_execution, remembered_execution
from matte.runtime.fastest import open_fastest
from matte.runtime.session import Session
from matte.runtime.trial import ensure_tried


def open_session(network: NetworkSource, settings: RuntimeSettings) -> Session:
    """Open a network as the settings ask for.

    Where they allow several executions, the fastest is chosen whose results are right: measured
    once on each machine, and remembered.
    """
    session = open_known_fastest(network, settings)
    if session is not None:
        return session
    executions = possible_executions(network, settings)
    if len(executions) == 1:
        only = replace(executions[0], why="the only way there is")
        return open_execution(network, only, settings)
    return open_fastest(
        network, executions, settings, lambda each: open_execution(network, each, settings)
    )


def open_known_fastest(network: NetworkSource, settings: RuntimeSettings) -> Session | None:
    """Open a network as it was fastest when that was measured; None if it never was.

    A stranger's network is tried before, the first time.
    """
    ensure_tried(network, settings)
    remembered = remembered_execution(network, settings)
    if remembered is not None and fits_memory(remembered.backend, settings):
        try:
            return open_execution(network, remembered, settings)
        except (BackendError, SettingError):
            forget_execution(network, settings)  # the machine has changed
    return None


def open_onnx_file(
    path: Path, backend: Literal["onnx", "openvino"] = "onnx", threads: int | None = None
) -> Session:
    """Open any ONNX file exactly as it is: in fp32 on the CPU."""
    settings = RuntimeSettings(backend=backend, device="cpu", precision="fp32", threads=threads)
    return open_session(NetworkSource(path), settings)


def open_execution(
    network: NetworkSource, execution: Execution, settings: RuntimeSettings
) -> Session:
    """Open a network on one backend, device and precision."""
    session: Session = resolve("backend", BACKENDS, execution.backend)(network, execution, settings)
    return session
