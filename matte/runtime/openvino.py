"""Sessions of OpenVINO, on CPUs and on Intel's GPUs."""

import contextlib
import functools
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError, is_memory_error, out_of_memory
from matte.limits import check_network_input
from matte.onnx_files import network_digest
from matte.runtime.compile_cache import open_compile_cache, sample_results
from matte.runtime.execution import DevicePrecisions, Execution, NetworkSource
from matte.runtime.failures import opening_failure, undecodable_names
from matte.runtime.gpus import gpu_number
from matte.runtime.processor import processor_abilities
from matte.runtime.threads import usable_threads

# The converter of other formats, which it imports if it can, takes longer than all the rest.
sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]  # None: no such module

import openvino  # noqa: E402  # after the line above

if vars(sys)["modules"]["openvino.tools.ovc"] is None:
    del sys.modules["openvino.tools.ovc"]  # whoever wants it may still import it

# While it reads a network, OpenVINO sets the process's locale to C and back: two threads that do
# so at once may leave it at C, and Python without UTF-8.
READ_LOCK = threading.Lock()
EXAMPLE_PIXELS = 64  # a side of what is run once to compare a cached network
PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}  # OpenVINO's names


@functools.cache
def has_bf16() -> bool:
    """Return whether this processor calculates in bfloat16, and does not only imitate it."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def device_precisions() -> DevicePrecisions:
    """Return OpenVINO's precisions by device."""
    some = (("bf16", has_bf16()), ("int8", processor_abilities().vnni))
    found: DevicePrecisions = {"cpu": ("fp32", *(precision for precision, has in some if has))}
    for number, gpu in enumerate(_gpu_names()):
        half = "FP16" in openvino.Core().get_property(gpu, "OPTIMIZATION_CAPABILITIES")
        found[f"gpu:{number}"] = ("fp32", "fp16") if half else ("fp32",)
    return found


def no_gpu_reason() -> str:
    """Return why OpenVINO has no GPU here; empty if it has one."""
    return "" if _gpu_names() else "there is no GPU of Intel's, or no driver (OpenCL) for it"


@functools.cache
def _gpu_names() -> tuple[str, ...]:
    """Return OpenVINO's names of the GPUs: GPU if there is one, else GPU.0 and GPU.1."""
    return tuple(d for d in openvino.Core().available_devices if d.partition(".")[0] == "GPU")


def _gpu_name(execution: Execution) -> str:
    """Return OpenVINO's name of an execution's GPU; raise if it is gone since it was remembered."""
    number = gpu_number(execution.device)
    if number >= len(_gpu_names()):
        raise BackendError(
            f"OpenVINO finds no {execution.device}", "run 'matte doctor', or use --device cpu"
        )
    return _gpu_names()[number]


class OpenVinoSession:
    """A network on OpenVINO's CPU or GPU plugin; compiled networks are cached on disk."""

    def __init__(
        self, network: NetworkSource, execution: Execution, settings: RuntimeSettings
    ) -> None:
        self.execution = execution
        path = network.int8 if execution.precision == "int8" and network.int8 else network.path
        self._path = path
        self._core = openvino.Core()
        # What is prepared for a layer and a size is kept, 5000 times: hundreds of MiB where every
        # picture has another size. 200 is the network for the last sizes, and as fast.
        with contextlib.suppress(RuntimeError):  # no documented property
            self._core.set_property("CPU", {"CPU_RUNTIME_CACHE_CAPACITY": "200"})
        options = {
            "INFERENCE_PRECISION_HINT": _precision_hint(execution),
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._device = "CPU"
        if execution.device == "cpu":
            options["INFERENCE_NUM_THREADS"] = str(settings.threads or usable_threads())
            if settings.threads is not None:
                # It would bind itself to the first processors, and so would every other process.
                options["ENABLE_CPU_PINNING"] = "NO"
        else:
            self._device = _gpu_name(execution)
        self._compiled = self._compile_or_load(network, options)
        self._requests = threading.local()
        inputs = self._compiled.inputs
        if any(i.element_type != openvino.Type.f32 for i in inputs):
            kind = inputs[0].element_type.get_type_name()
            raise WeightsError(f"{path} takes {kind}", "give one that takes float32")
        try:
            self.inputs = {
                _file_name(i): tuple(
                    None if d.is_dynamic else d.get_length() for d in i.partial_shape
                )
                for i in inputs
            }
            self._outputs = [_file_name(o) for o in self._compiled.outputs]
        except (UnicodeDecodeError, RuntimeError) as error:  # RuntimeError: one without a name
            raise undecodable_names(path) from error
        for name, shape in self.inputs.items():
            check_network_input(name, shape)

    def _compile_or_load(self, network: NetworkSource, options: dict[str, str]) -> Any:
        """Return the compiled network: from the cache, if that gives what was put into it."""
        try:
            cache = open_compile_cache(
                _digest(network, self._path), openvino.get_version(), self._device, options
            )
        except OSError:  # without a cache every start compiles: slow, not wrong
            return self._compile(options)
        cached = options | {"CACHE_DIR": str(cache.folder)}
        compiled = self._compile(cached)
        if not _is_from_cache(compiled):
            cache.seal(_sample(compiled))
        elif cache.unchecked_sample() is not None and not cache.settle(_sample(compiled)):
            return self._compile(options)
        return compiled

    def _compile(self, options: dict[str, str]) -> Any:
        """Return the network, compiled or loaded by OpenVINO; its errors become errors of matte."""
        device, path = self._device, self._path
        try:
            with READ_LOCK, ThreadPoolExecutor(1) as apart:
                # OpenVINO gives the thread that compiles a stack for signals, and frees it with the
                # network: in the main thread the next Ctrl-C would end in a crash.
                compiling = apart.submit(self._core.compile_model, str(path), device, options)
                return compiling.result()
        except RuntimeError as error:
            if device != "CPU" and not is_memory_error(error):
                cause = f"OpenVINO can't use {device} ({_last_line(error)})"
                raise BackendError(cause, "renew its driver, or use --device cpu") from error
            raise opening_failure("OpenVINO", path, error, _last_line(error)) from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on inputs by name, and return its outputs by name."""
        try:
            values = self._request().infer(dict(inputs))
        except RuntimeError as error:
            if is_memory_error(error):
                raise out_of_memory("OpenVINO") from error
            raise BackendError(
                f"OpenVINO failed ({_last_line(error)})", "try --backend onnx"
            ) from error
        found = (np.array(value, np.float32) for value in values.to_tuple())
        return dict(zip(self._outputs, found, strict=True))

    def _request(self) -> Any:
        """Return this thread's inference request, which is made at the thread's first call."""
        if not hasattr(self._requests, "own"):
            self._requests.own = self._compiled.create_infer_request()
        return self._requests.own

    def metadata(self) -> dict[str, str]:
        """Return the metadata that the file's author wrote into it."""
        try:
            with READ_LOCK:
                info = self._core.read_model(str(self._path)).rt_info
            written = info["framework"] if "framework" in info else {}  # noqa: SIM401  # no dict
            return {key: str(getattr(value, "value", value)) for key, value in written.items()}
        except UnicodeDecodeError as error:
            raise undecodable_names(self._path) from error


def _file_name(port: Any) -> str:
    """Return the name that a network's file has for an input or an output.

    OpenVINO knows it by several where it leaves out what only changes the type beside it.
    """
    name: str = port.node.friendly_name.partition("/sink_port_")[0]
    return name if name in port.names else str(port.any_name)


def _precision_hint(execution: Execution) -> str:
    """Return OpenVINO's name for the precision of layers that are not quantised."""
    if execution.precision != "int8":
        return PRECISION_HINTS[execution.precision]
    return PRECISION_HINTS["bf16" if execution.device == "cpu" and has_bf16() else "fp32"]


def _digest(network: NetworkSource, path: Path) -> str:
    """Return the SHA-256 of all that is read of a network; OpenVINO itself compares times."""
    known = network.digest if path == network.path else network.int8_digest
    return known or network_digest(path)


def _is_from_cache(compiled: Any) -> bool:
    """Return whether OpenVINO loaded the network from its cache."""
    with contextlib.suppress(RuntimeError):
        return bool(compiled.get_property("LOADED_FROM_CACHE"))
    return False


def _sample(compiled: Any) -> list[float]:
    """Return a few results of a small example; none of networks that take no small pictures."""
    inputs = []
    for each in compiled.inputs:
        lengths = [None if d.is_dynamic else d.get_length() for d in each.partial_shape]
        if len(lengths) not in (1, 4):
            return []
        usual = (1, 3, EXAMPLE_PIXELS, EXAMPLE_PIXELS)
        shape = [use if n is None else n for n, use in zip(lengths, usual, strict=False)]
        if np.prod(shape) > 4 * EXAMPLE_PIXELS**2:
            return []
        inputs.append(np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))
    try:
        found = compiled.create_infer_request().infer(inputs)
    except RuntimeError:
        return []
    return sample_results(list(found.values()))


def _last_line(error: Exception) -> str:
    """Return the last line of an error's message, which names the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
