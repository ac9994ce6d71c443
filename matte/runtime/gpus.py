"""Find the GPUs of this machine by asking their driver, before anything large is imported."""

import ctypes
import functools
import platform
from importlib.util import find_spec

from matte.runtime.execution import DevicePrecisions
from matte.runtime.processor import processor_abilities

NO_NVIDIA_GPU = "there is no GPU of NVIDIA's, or no driver for it"
CUDA_DRIVERS = {"Linux": "libcuda.so.1", "Windows": "nvcuda.dll"}
MAX_NAME_BYTES = 100  # of a GPU's name


@functools.cache
def nvidia_gpus() -> tuple[str, ...]:
    """Return the names of the NVIDIA GPUs that this process may use, in CUDA's order."""
    try:
        driver = ctypes.CDLL(CUDA_DRIVERS.get(platform.system(), CUDA_DRIVERS["Linux"]))
    except OSError:
        return ()
    count, device = ctypes.c_int(0), ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return ()
    names = []
    for number in range(count.value):
        name = ctypes.create_string_buffer(MAX_NAME_BYTES)
        driver.cuDeviceGet(ctypes.byref(device), number)
        driver.cuDeviceGetName(name, MAX_NAME_BYTES, device)
        names.append(name.value.decode(errors="replace"))
    return tuple(names)


def torch_device_precisions() -> DevicePrecisions:
    """Return torch's precisions by device; on a processor that only imitates bfloat16 without it.

    Where there can be no GPU, torch is not imported to be asked: that takes longer than a picture.
    """
    found: DevicePrecisions = {"cpu": ("fp32", "bf16") if processor_abilities().bf16 else ("fp32",)}
    if not (nvidia_gpus() or _is_apple_silicon()):
        return found
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            half = torch.cuda.get_device_capability(number) >= (8, 0)  # the first with bfloat16
            found[f"gpu:{number}"] = ("fp32", "fp16", "bf16") if half else ("fp32", "fp16")
    elif torch.backends.mps.is_available():
        found["gpu:0"] = ("fp32", "fp16")
    return found


def no_torch_gpu_reason() -> str:
    """Return why torch has no GPU here; empty if it has one."""
    if find_spec("torch") is None:
        return "torch is not installed"
    if len(torch_device_precisions()) > 1:
        return ""
    if nvidia_gpus():
        return "this torch is built without CUDA, or for a newer driver"
    return NO_NVIDIA_GPU


def gpu_number(device: str) -> int:
    """Return the number of the GPU that a device such as gpu:1 means; 0 for gpu."""
    return int(device.partition(":")[2] or 0)


def _is_apple_silicon() -> bool:
    """Return whether this is a Mac whose processor has a GPU that torch can use."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"
