"""ONNX Runtime: its own kernels on CPUs, CUDA and TensorRT on NVIDIA's GPUs."""

import functools
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from matte.configs.places import cache
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, WeightsError
from matte.runtime.graphics import NO_NVIDIA, gpu_number, nvidia_gpus
from matte.runtime.processor import processor_abilities
from matte.runtime.threads import usable_threads
from matte.runtime.ways import Abilities, Network, Way

QUIET = 4  # what goes wrong is raised; nothing needs to be printed too
CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
GPU_PACKAGE = "pip install onnxruntime-gpu, instead of onnxruntime"
# What stays out of TensorRT in fp16: the attention's products of unnormalised features, and their
# softmax. CUDA computes them in fp32.
EXACT = "MatMul,Softmax,NonMaxSuppression,NonZero,RoiAlign"
PRELOADING = threading.Lock()  # networks are opened in several threads


def abilities() -> Abilities:
    """What there is on this machine, by device."""
    found: Abilities = {"cpu": ("fp32", "int8") if processor_abilities().vnni else ("fp32",)}
    if not why_no_gpu():
        found |= {f"gpu:{number}": ("fp32",) for number in range(len(nvidia_gpus()))}
    return found


def tensorrt_abilities() -> Abilities:
    """The same for TensorRT behind ONNX Runtime."""
    if why_no_tensorrt():
        return {}
    return {f"gpu:{number}": ("fp32", "fp16") for number in range(len(nvidia_gpus()))}


def why_no_gpu() -> str:
    """Why ONNX Runtime has no GPU here; empty if it has one."""
    return _why_not(CUDA)


def why_no_tensorrt() -> str:
    """Why ONNX Runtime has no TensorRT here; empty if it has."""
    return _why_not(TENSORRT)


def _why_not(provider: str) -> str:
    if provider not in onnxruntime.get_available_providers():
        return f"this onnxruntime is built without its {provider}: {GPU_PACKAGE}"
    return "" if nvidia_gpus() else NO_NVIDIA


class OnnxSession:
    """A network on one of ONNX Runtime's providers: the backend and the device of the way tell
    which. Safe to share: ONNX Runtime's sessions are.
    """

    def __init__(self, network: Network, way: Way, settings: RuntimeSettings) -> None:
        self.way = way
        self._path = network.int8 if way.precision == "int8" and network.int8 else network.path
        onnxruntime.set_default_logger_severity(QUIET)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings.threads or usable_threads()
        options.log_severity_level = QUIET
        # Plans for one size waste memory where every picture has another: 3.6 GiB instead of 2.3
        # for GCA at 1920 × 1088, no faster (benchmarks/attention.py).
        options.enable_mem_pattern = False
        providers = _providers(way, network)
        self._session = self._opened(options, providers)
        first = providers[0][0]
        # A provider whose libraries are not found is left out without a word.
        if first not in self._session.get_providers():
            told = _preloaded() or f"{first} did not load"
            raise BackendError(f"ONNX Runtime can't use the GPU ({told})", _remedy(first))
        inputs = self._session.get_inputs()
        if any(i.type != "tensor(float)" for i in inputs):
            raise WeightsError(
                f"{self._path} takes {inputs[0].type}", "give one that takes float32"
            )
        self.inputs = {
            i.name: tuple(d if isinstance(d, int) else None for d in i.shape) for i in inputs
        }
        self._outputs = [o.name for o in self._session.get_outputs()]

    def _opened(self, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
        try:
            # Without its fallback, which would print, and go on with the CPU.
            return onnxruntime.InferenceSession(
                self._path, options, providers=providers, enable_fallback=0
            )
        # ONNX Runtime's errors have no common class below Exception.
        except Exception as error:
            if self.way.device != "cpu":
                cause = f"ONNX Runtime can't open {self._path} on the GPU ({_reason(error)})"
                raise BackendError(cause, _remedy(providers[0][0])) from error
            raise WeightsError(
                f"ONNX Runtime can't load {self._path} ({_reason(error)})", "give a whole ONNX file"
            ) from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """The outputs by name."""
        try:
            values = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # as above
            remedy = "try --backend openvino" if self.way.device == "cpu" else "try --device cpu"
            raise BackendError(f"ONNX Runtime failed ({_reason(error)})", remedy) from error
        return {n: np.asarray(v, np.float32) for n, v in zip(self._outputs, values, strict=True)}

    def metadata(self) -> dict[str, str]:
        """What whoever made the file wrote into it."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


def _providers(way: Way, network: Network) -> list[tuple[str, dict[str, str]]]:
    """The providers for a way, with their options; where the first can't, the next one works."""
    if way.device == "cpu":
        return [(CPU, {})]
    _preloaded()
    number = str(gpu_number(way.device))
    # TF32 would halve the digits of what is called fp32. The arena grows by what is asked for, and
    # not to the next power of two: pictures have many sizes.
    exact = {"use_tf32": "0"}
    cuda = (CUDA, {"device_id": number, "arena_extend_strategy": "kSameAsRequested", **exact})
    if way.backend != "onnx-tensorrt":
        return [cuda, (CPU, {})]
    half = {"trt_fp16_enable": "1", "trt_op_types_to_exclude": EXACT}
    tensorrt = {"device_id": number, **(half if way.precision == "fp16" else {})}
    return [(TENSORRT, tensorrt | _kept(network)), cuda, (CPU, {})]


def _kept(network: Network) -> dict[str, str]:
    """Where TensorRT keeps what it builds, which takes minutes; nowhere if nothing can be kept."""
    folder = cache() / "onnx-tensorrt" / (network.digest[:20] or network.path.stem)
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


def _preloaded() -> str:
    """Loads CUDA's libraries as Python packages bring them, once; tells what it could not load."""
    with PRELOADING:
        return _preload()


@functools.cache
def _preload() -> str:
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is None:
        return ""
    said: list[str] = []
    # It prints, and stdout may be a picture's. That is every thread's: only what this one module
    # takes for `print` is another meanwhile.
    names = vars(onnxruntime)
    names["print"] = lambda *words, **_: said.extend(map(str, words))
    try:
        preload()
    finally:
        del names["print"]
    return " ".join(" ".join(said).split())


def _remedy(provider: str) -> str:
    also = " and TensorRT" if provider == TENSORRT else ""
    return f"install the CUDA and cuDNN{also} that onnxruntime-gpu asks for, or use --device cpu"


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
