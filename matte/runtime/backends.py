"""The backends that run networks, and the executions that settings and this machine allow."""

import warnings
from collections.abc import Iterator
from importlib.util import find_spec

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteWarning, install_command, is_memory_error, out_of_memory
from matte.limits import format_bytes
from matte.registry import resolve
from matte.runtime.execution import DevicePrecisions, Execution, NetworkSource

# Each opens a Session from (network, execution, settings).
BACKENDS = {
    "onnx": "matte.runtime.onnx:OnnxSession",
    "onnx-tensorrt": "matte.runtime.onnx:OnnxSession",
    "openvino": "matte.runtime.openvino:OpenVinoSession",
    "tensorrt": "matte.runtime.engine_compiler:open_tensorrt",
    "torch": "matte.runtime.torch:open_torch",
}
# Each returns this machine's precisions by device, as DevicePrecisions.
DEVICE_PRECISIONS = {
    "onnx": "matte.runtime.onnx:device_precisions",
    "onnx-tensorrt": "matte.runtime.onnx:tensorrt_device_precisions",
    "openvino": "matte.runtime.openvino:device_precisions",
    "tensorrt": "matte.runtime.engine_store:device_precisions",
    "torch": "matte.runtime.gpus:torch_device_precisions",
}
# Each returns why the backend has no GPU here; "" if it has one.
NO_GPU_REASONS = {
    "onnx": "matte.runtime.onnx:no_gpu_reason",
    "onnx-tensorrt": "matte.runtime.onnx:no_tensorrt_reason",
    "openvino": "matte.runtime.openvino:no_gpu_reason",
    "tensorrt": "matte.runtime.gpus:no_torch_gpu_reason",
    "torch": "matte.runtime.gpus:no_torch_gpu_reason",
}
# The package that a backend needs. `auto` prefers them in this order until it has measured.
BACKEND_PACKAGES = {
    "tensorrt": "tensorrt",
    "openvino": "openvino",
    "onnx": "onnxruntime",
    "onnx-tensorrt": "onnxruntime",
    "torch": "torch",
}
INSTALL_COMMANDS = {
    "tensorrt": install_command("tensorrt"),
    "torch": install_command("torch"),
}
# What a process takes while a backend compiles shipped networks for the first time; those that are
# not here compile nothing. Measured with benchmarks/memory_limits.py.
COMPILING_BYTES = {"openvino": 900 << 20}
FASTEST_FIRST = ("int8", "fp16", "bf16", "fp32")


def possible_executions(network: NetworkSource, settings: RuntimeSettings) -> list[Execution]:
    """Return how a network can run, by what settings allow and this machine has, at least one.

    The likely fastest comes first. Raises BackendError with the remedy if nothing is possible.
    """
    allowed = [
        b for b in BACKEND_PACKAGES if _allows_backend(b, settings) and fits_memory(b, settings)
    ]
    backends = [b for b in allowed if find_spec(BACKEND_PACKAGES[b])]
    if not backends:
        _raise_not_installed(settings.backend)
    found, available = [], {}
    for backend in backends:
        if backend == "torch" and network.torch is None:
            continue  # it need not even be imported
        available[backend] = _device_precisions(backend, settings.backend == backend)
        found += list(_executions_of_backend(backend, available[backend], network, settings))
    if not found:
        _raise_impossible(available, network, settings)
    on_gpu = [execution for execution in found if execution.device != "cpu"]
    return on_gpu + [execution for execution in found if execution.device == "cpu"]


def _device_precisions(backend: str, named: bool) -> DevicePrecisions:
    """Return a backend's precisions by device.

    One that can't be loaded has none, with a warning; BackendError if the settings name it.
    """
    try:
        found: DevicePrecisions = resolve("backend", DEVICE_PRECISIONS, backend)()
    except (ImportError, OSError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        cause = f"backend {backend!r} can't be loaded ({reason})"
        broken = BackendError(cause, "install it again, or use another")
        if is_memory_error(error):
            broken = out_of_memory(f"backend {backend!r}")
        if named:
            raise broken from error
        warnings.warn(str(broken), MatteWarning, stacklevel=3)
        return {}
    return found


def _allows_backend(backend: str, settings: RuntimeSettings) -> bool:
    """Return whether the settings allow a backend."""
    return settings.backend in (backend, "auto")


def fits_memory(backend: str, settings: RuntimeSettings) -> bool:
    """Return whether a backend may compile in the settings' memory.

    BackendError if it may not, and the settings name it.
    """
    need = COMPILING_BYTES.get(backend, 0)
    if settings.max_memory is None or need <= settings.max_memory:
        return True
    if settings.backend != backend:
        return False
    few = format_bytes(settings.max_memory)
    raise BackendError(
        f"backend {backend!r} takes {format_bytes(need)}, and --max-memory is {few}",
        "raise --max-memory, or use --backend onnx",
    )


def _executions_of_backend(
    backend: str, available: DevicePrecisions, network: NetworkSource, settings: RuntimeSettings
) -> Iterator[Execution]:
    """Yield a backend's executions of a network that the settings allow, the fastest first."""
    named = settings.backend == backend
    if backend == "onnx-tensorrt" and not named:
        return  # it builds engines for minutes
    for device, precisions in available.items():
        if not is_allowed_device(device, settings):
            continue
        if backend == "tensorrt":
            yield from _engine_executions(device, network, settings)
            continue
        # torch on a CPU is the slowest, and its import takes longer than any picture.
        if backend == "torch" and device == "cpu" and not named:
            continue
        for precision in FASTEST_FIRST:
            if precision not in precisions or (precision == "int8" and network.int8 is None):
                continue
            trusted = precision == "fp32" or precision in network.accurate_precisions
            if settings.precision == precision or (settings.precision == "auto" and trusted):
                yield Execution(backend, device, precision)


def _engine_executions(
    device: str, network: NetworkSource, settings: RuntimeSettings
) -> Iterator[Execution]:
    """Yield the executions by stored engines, each of which was compared when it was built.

    Where none is stored, one that has to be built first, for minutes, if the settings name
    TensorRT.
    """
    from matte.runtime.engine_store import ENGINE_PRECISIONS, has_engine

    wanted = [p for p in ENGINE_PRECISIONS if settings.precision in (p, "auto")]
    built = [p for p in wanted if has_engine(network, Execution("tensorrt", device, p))]
    named = settings.backend == "tensorrt"
    yield from (Execution("tensorrt", device, p) for p in built or (wanted[:1] if named else ()))


def is_allowed_device(device: str, settings: RuntimeSettings) -> bool:
    """Return whether the settings allow a device: of GPUs, `gpu` and `auto` allow the first."""
    if settings.device == "auto":
        return device in (("gpu:0",) if settings.require_gpu else ("cpu", "gpu:0"))
    return settings.device == device or f"{settings.device}:0" == device


def _raise_not_installed(backend: str) -> None:
    """Raise BackendError with the command that installs a backend's package."""
    if backend == "auto":
        raise BackendError("no inference runtime is installed", "pip install openvino")
    remedy = INSTALL_COMMANDS.get(backend, f"pip install {BACKEND_PACKAGES[backend]}")
    raise BackendError(f"backend {backend!r} is not installed", remedy)


def _raise_impossible(
    available: dict[str, DevicePrecisions], network: NetworkSource, settings: RuntimeSettings
) -> None:
    """Raise BackendError for the setting that nothing here satisfies, and the remedy."""
    who = "no backend" if settings.backend == "auto" else f"backend {settings.backend!r}"
    has = "has no" if settings.backend != "auto" else "has a"
    if settings.backend == "torch" and network.torch is None:
        raise BackendError(
            f"{network.path.name} has no torch weights", "use --backend onnx or openvino"
        )
    devices = {
        d for abilities in available.values() for d in abilities if is_allowed_device(d, settings)
    }
    if not devices:
        wanted = "gpu" if settings.device == "auto" else settings.device
        why = _no_gpu_reason(settings.backend) if wanted != "cpu" else ""
        cause = f"{who} {has} {wanted} here" + (f" ({why})" if why else "")
        only_gpu = settings.backend in ("tensorrt", "onnx-tensorrt")
        other = "--backend auto" if only_gpu else "--device cpu"
        raise BackendError(cause, f"run 'matte doctor', or use {other}")
    if settings.precision == "int8" and network.int8 is None:
        raise BackendError(
            f"there is no int8 of {network.path.name}", "use --precision auto, or quantise it"
        )
    raise BackendError(
        f"{who} {has} {settings.precision} here", "use --precision auto, or another --backend"
    )


def _no_gpu_reason(backend: str) -> str:
    """Return why a backend has no GPU here; empty if it has one."""
    return str(resolve("backend", NO_GPU_REASONS, backend)()) if backend in NO_GPU_REASONS else ""
