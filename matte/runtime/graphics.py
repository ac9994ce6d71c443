"""Which graphics processors (GPUs) there are: asked of their driver, before anything large is
imported.
"""

import ctypes
import functools
import platform
from importlib.util import find_spec

from matte.runtime.ways import Abilities

DRIVERS = {"Linux": "libcuda.so.1", "Windows": "nvcuda.dll"}
LONGEST = 100  # bytes of a GPU's name


@functools.cache
def nvidia_gpus() -> tuple[str, ...]:
    """The names of NVIDIA's GPUs that this process may use, in the order CUDA counts them."""
    try:
        driver = ctypes.CDLL(DRIVERS.get(platform.system(), DRIVERS["Linux"]))
    except OSError:
        return ()
    count, device = ctypes.c_int(0), ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return ()
    names = []
    for number in range(count.value):
        name = ctypes.create_string_buffer(LONGEST)
        driver.cuDeviceGet(ctypes.byref(device), number)
        driver.cuDeviceGetName(name, LONGEST, device)
        names.append(name.value.decode(errors="replace"))
    return tuple(names)


def torch_abilities() -> Abilities:
    """What torch has, by device. Where there can be no GPU, torch is not imported to be asked:
    that takes longer than a picture.
    """
    found: Abilities = {"cpu": ("fp32", "bf16")}
    if not (nvidia_gpus() or _may_be_apple()):
        return found
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            half = torch.cuda.get_device_capability(number) >= (8, 0)  # the first with bfloat16
            found[f"gpu:{number}"] = ("fp32", "fp16", "bf16") if half else ("fp32", "fp16")
    elif torch.backends.mps.is_available():
        found["gpu:0"] = ("fp32", "fp16")
    return found


def why_no_torch_gpu() -> str:
    """Why torch has no GPU here; empty if it has one."""
    if find_spec("torch") is None:
        return "torch is not installed"
    if len(torch_abilities()) > 1:
        return ""
    if nvidia_gpus():
        return "this torch is built without CUDA, or for a newer driver"
    return NO_NVIDIA


NO_NVIDIA = "there is no GPU of NVIDIA's, or no driver for it"


def gpu_number(device: str) -> int:
    """Which GPU a way's device means: 1 for gpu:1, 0 for gpu."""
    return int(device.partition(":")[2] or 0)


def _may_be_apple() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"
