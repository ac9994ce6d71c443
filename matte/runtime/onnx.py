"""Sessions of ONNX Runtime: its own kernels on CPUs, CUDA and TensorRT on NVIDIA GPUs."""

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from matte.configs.places import cache_folder
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError, is_memory_error, out_of_memory
from matte.limits import check_network_input
from matte.runtime.execution import DevicePrecisions, Execution, NetworkSource
from matte.runtime.failures import opening_failure, undecodable_names
from matte.runtime.gpus import NO_NVIDIA_GPU, gpu_number, nvidia_gpus
from matte.runtime.processor import processor_abilities
from matte.runtime.threads import usable_threads

FATAL_LOG_LEVEL = 4  # errors are raised, and need not be printed too
CPU_PROVIDER, CUDA_PROVIDER, TENSORRT_PROVIDER = (
    f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt")
)
GPU_PACKAGE = "pip install onnxruntime-gpu, instead of onnxruntime"
# Operators that stay out of TensorRT in fp16: the attention's products of unnormalised features,
# and their softmax. CUDA computes them in fp32.
FP32_OPERATORS = "MatMul,Softmax,NonMaxSuppression,NonZero,RoiAlign"
PRELOAD_LOCK = threading.Lock()  # networks are opened in several threads


def device_precisions() -> DevicePrecisions:
    """Return ONNX Runtime's precisions by device."""
    found: DevicePrecisions = {"cpu": ("fp32", "int8") if processor_abilities().vnni else ("fp32",)}
    if not no_gpu_reason():
        found |= {f"gpu:{number}": ("fp32",) for number in range(len(nvidia_gpus()))}
    return found


def tensorrt_device_precisions() -> DevicePrecisions:
    """Return the precisions by device of TensorRT behind ONNX Runtime."""
    if no_tensorrt_reason():
        return {}
    return {f"gpu:{number}": ("fp32", "fp16") for number in range(len(nvidia_gpus()))}


def no_gpu_reason() -> str:
    """Return why ONNX Runtime has no GPU here; empty if it has one."""
    return _no_provider_reason(CUDA_PROVIDER)


def no_tensorrt_reason() -> str:
    """Return why ONNX Runtime has no TensorRT here; empty if it has."""
    return _no_provider_reason(TENSORRT_PROVIDER)


def _no_provider_reason(provider: str) -> str:
    """Return why a provider is not usable here; empty if it is."""
    if provider not in onnxruntime.get_available_providers():
        return f"this onnxruntime is built without its {provider}: {GPU_PACKAGE}"
    return "" if nvidia_gpus() else NO_NVIDIA_GPU


@dataclass(frozen=True, slots=True)
class PlacedValues:
    """float32 values on a device, one after the other: their shape and their address there."""

    shape: tuple[int, ...]
    address: int


class OnnxSession:
    """A network on the provider of ONNX Runtime that backend and device ask for.

    Threads may share it, as they may share ONNX Runtime's own sessions.
    """

    def __init__(
        self, network: NetworkSource, execution: Execution, settings: RuntimeSettings
    ) -> None:
        self.execution = execution
        self._path = (
            network.int8 if execution.precision == "int8" and network.int8 else network.path
        )
        onnxruntime.set_default_logger_severity(FATAL_LOG_LEVEL)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads or usable_threads()
        options.log_severity_level = FATAL_LOG_LEVEL
        # Plans for one size waste memory where every picture has another: 3.6 GiB instead of 2.3
        # for GCA at 1920 × 1088, no faster (benchmarks/attention.py).
        options.enable_mem_pattern = False
        providers = _providers(execution, network)
        self._session = self._open(options, providers)
        first = providers[0][0]
        # A provider whose libraries are not found is left out without a word.
        if first not in self._session.get_providers():
            reason = _preload_cuda() or f"{first} did not load"
            raise BackendError(f"ONNX Runtime can't use the GPU ({reason})", _gpu_remedy(first))
        try:
            inputs = self._session.get_inputs()
            self._outputs = [o.name for o in self._session.get_outputs()]
            names = [i.name for i in inputs]
        except UnicodeDecodeError as error:
            raise undecodable_names(self._path) from error
        if any(i.type != "tensor(float)" for i in inputs):
            raise WeightsError(
                f"{self._path} takes {inputs[0].type}", "give one that takes float32"
            )
        self.inputs = {
            name: tuple(d if isinstance(d, int) else None for d in i.shape)
            for name, i in zip(names, inputs, strict=True)
        }
        for name, shape in self.inputs.items():
            check_network_input(name, shape)

    def _open(self, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
        """Return ONNX Runtime's session of the file; its errors become errors of matte."""
        try:
            # Without its fallback, which would print, and go on with the CPU.
            return onnxruntime.InferenceSession(
                self._path, options, providers=providers, enable_fallback=0
            )
        # ONNX Runtime's errors have no common class below Exception.
        except Exception as error:
            if self.execution.device != "cpu" and not is_memory_error(error):
                cause = f"ONNX Runtime can't open {self._path} on the GPU ({_first_line(error)})"
                raise BackendError(cause, _gpu_remedy(providers[0][0])) from error
            raise opening_failure("ONNX Runtime", self._path, error, _first_line(error)) from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the network on inputs by name, and return its outputs by name."""
        try:
            values = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # as above
            raise self._run_failure(error) from error
        return {n: np.asarray(v, np.float32) for n, v in zip(self._outputs, values, strict=True)}

    def run_in_place(self, inputs: Mapping[str, PlacedValues], output: PlacedValues) -> None:
        """Run a network of one output on inputs that lie on the session's device, by name.

        Its output is written there, too.
        """
        device, number = "cpu", 0
        if self.execution.device != "cpu":
            device, number = "cuda", gpu_number(self.execution.device)
        try:
            binding = self._session.io_binding()
            for name, values in inputs.items():
                place = device, number, np.float32, values.shape, values.address
                binding.bind_input(name, *place)
            (name,) = self._outputs
            binding.bind_output(name, device, number, np.float32, output.shape, output.address)
            self._session.run_with_iobinding(binding)
            binding.synchronize_outputs()
        except Exception as error:  # as above
            raise self._run_failure(error) from error

    def _run_failure(self, error: Exception) -> BackendError:
        """Return the error to raise for what a run raised."""
        if is_memory_error(error):
            return out_of_memory("ONNX Runtime")
        on_cpu = self.execution.device == "cpu"
        remedy = "try --backend openvino" if on_cpu else "try --device cpu"
        return BackendError(f"ONNX Runtime failed ({_first_line(error)})", remedy)

    def metadata(self) -> dict[str, str]:
        """Return the metadata that the file's author wrote into it."""
        try:
            return dict(self._session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError as error:
            raise undecodable_names(self._path) from error


def _providers(execution: Execution, network: NetworkSource) -> list[tuple[str, dict[str, str]]]:
    """Return an execution's providers with their options; the next runs what the first can't."""
    if execution.device == "cpu":
        return [(CPU_PROVIDER, {})]
    _preload_cuda()
    number = str(gpu_number(execution.device))
    # TF32 would halve the digits of what is called fp32. The arena grows by what is asked for, and
    # not to the next power of two: pictures have many sizes.
    exact = {"use_tf32": "0"}
    cuda = (
        CUDA_PROVIDER,
        {"device_id": number, "arena_extend_strategy": "kSameAsRequested", **exact},
    )
    if execution.backend != "onnx-tensorrt":
        return [cuda, (CPU_PROVIDER, {})]
    half = {"trt_fp16_enable": "1", "trt_op_types_to_exclude": FP32_OPERATORS}
    tensorrt = {"device_id": number, **(half if execution.precision == "fp16" else {})}
    return [
        (TENSORRT_PROVIDER, tensorrt | _engine_cache_options(network)),
        cuda,
        (CPU_PROVIDER, {}),
    ]


def _engine_cache_options(network: NetworkSource) -> dict[str, str]:
    """Return the options by which TensorRT stores its engines; none if it can't store any."""
    folder = cache_folder() / "onnx-tensorrt" / (network.digest[:20] or network.path.stem)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {}
    place = str(folder)
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": place,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": place,
    }


def _preload_cuda() -> str:
    """Load the CUDA libraries of Python packages, once; return what could not be loaded."""
    with PRELOAD_LOCK:
        return _preload_cuda_once()


@functools.cache
def _preload_cuda_once() -> str:
    """Have onnxruntime load CUDA's libraries, and return what it prints about them."""
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is None:
        return ""
    printed: list[str] = []
    # It prints, and stdout may be a picture's. That is every thread's: only what this one module
    # takes for `print` is another meanwhile.
    names = vars(onnxruntime)
    names["print"] = lambda *words, **_: printed.extend(map(str, words))
    try:
        preload()
    finally:
        del names["print"]
    return " ".join(" ".join(printed).split())


def _gpu_remedy(provider: str) -> str:
    """Return the remedy for a provider that does not load on the GPU."""
    also = " and TensorRT" if provider == TENSORRT_PROVIDER else ""
    return f"install the CUDA and cuDNN{also} that onnxruntime-gpu asks for, or use --device cpu"


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().partition("\n")[0]
