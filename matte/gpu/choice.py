"""Whether pictures and frames are worked on on a GPU, and how many at once; without torch."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matte.configs.settings import Config
from matte.errors import MatteWarning, PictureError
from matte.limits import format_bytes
from matte.pipeline.line import Line
from matte.runtime.gpus import gpu_number, no_torch_gpu_reason
from matte.runtime.memory import ATTENTION_COST, MIN_NETWORK_PIXELS, MemoryLimit

if TYPE_CHECKING:
    import torch

CUDA_BACKENDS = ("tensorrt", "onnx-tensorrt", "onnx", "torch")  # whose GPUs are NVIDIA's
MAX_BATCH = 8  # frames that are uploaded and composed at once
# Of device memory for each pixel of a frame in a batch, and of one that waits between the steps.
# The first is three times what tensors took at 640 × 360 (benchmarks/gpu_memory.py, on the CPU: 113
# in `fast`, 114 in `balanced`); CUDA's allocator takes more, how much more is not known yet.
FRAME_BYTES_PER_PIXEL, WAITING_BYTES_PER_PIXEL = 330, 24
FRAMES_WAITING = 12  # in the queues between the steps
RESERVED_BYTES = 600 << 20  # CUDA's own, and the networks


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A device, how many frames it gets at once, and the memory that these take on it."""

    device: "torch.device"
    batch: int = 1
    planned_bytes: int = 0
    memory: MemoryLimit | None = None
    """What networks may take there, beside the frames; None: as much as on the processor."""

    def as_json(self) -> dict[str, Any]:
        """Return the plan in plain JSON values."""
        return {
            "device": str(self.device),
            "batch": self.batch,
            "planned_mib": round(self.planned_bytes / (1 << 20)),
        }


def plan_device(
    line: Line, config: Config, size: tuple[int, int], memory: MemoryLimit, *, deep: bool = False
) -> DevicePlan | None:
    """Return on which GPU pictures of this `size` are worked on: where the line's networks are.

    None where they are on the processor, and, with a warning, where the rest of the line can't
    follow them. Raises PictureError if one such picture takes more memory than there is.
    """
    device = device_of(line, config, deep=deep, despeckles=config.video.despeckle is not None)
    return None if device is None else plan_on_device(device, size, memory)


def device_of(
    line: Line, config: Config, *, deep: bool = False, despeckles: bool = False
) -> "torch.device | None":
    """Return the GPU that the whole line can run on: the networks are there already.

    None where they are on the processor, and, with a warning, where the rest of the line can't
    follow them; `deep` is of more than 8 bits, `despeckles` of a clip that loses its flecks.
    """
    number = _gpu_of_networks(line)
    if number is None:
        return None
    why = no_torch_gpu_reason()
    if not why and deep:
        why = "there are more than 8 bits"
    if not why and despeckles:
        why = "despeckle is set"
    if not why:
        from matte.gpu.frame_line import missing_step  # torch is for GPUs only

        why = missing_step(line, config)
    if why:
        text = f"only the networks run on the GPU ({why}); the processor does the rest"
        warnings.warn(text, MatteWarning, stacklevel=4)
        return None
    import torch

    return torch.device("cuda", number)


def plan_on_device(
    device: "torch.device", size: tuple[int, int], memory: MemoryLimit
) -> DevicePlan:
    """Return the plan for pictures of this `size` on a device, by the memory that is free there."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return plan_batch(device, size, memory, free)


def _gpu_of_networks(line: Line) -> int | None:
    """Return the number of the GPU that CUDA runs all of the line's networks on, if there is."""
    executions = [facts.execution for facts in line.network_facts.values()]
    devices = {execution["device"] for execution in executions}
    if len(devices) != 1 or "cpu" in devices:
        return None
    if any(execution["backend"] not in CUDA_BACKENDS for execution in executions):
        return None
    return gpu_number(devices.pop())


def plan_batch(
    device: "torch.device", size: tuple[int, int], memory: MemoryLimit, free_bytes: int
) -> DevicePlan:
    """Return the largest batch of frames of this `size` that fits in a device's free memory.

    `memory` limits it too. Raises PictureError where not even one frame fits.
    """
    limited = memory.limit_bytes and memory.limit_bytes < free_bytes
    available = memory.limit_bytes if limited else free_bytes
    for batch in range(MAX_BATCH, 0, -1):
        need = _planned_bytes(size, batch)
        if need <= available:
            return DevicePlan(device, batch, need, MemoryLimit(available))
    height, width = size
    limit = memory.description if limited else f"{format_bytes(free_bytes)} are free"
    remedy = "raise --max-memory" if limited else "close other programs"
    cause = f"a frame of {width}×{height} takes {format_bytes(need)} on the GPU, and {limit}"
    raise PictureError(cause, f"{remedy}, give a smaller clip, or --device cpu")


def _planned_bytes(size: tuple[int, int], batch: int) -> int:
    """Return the device memory for batches of frames: their planes, and the networks' inputs."""
    pixels = size[0] * size[1]
    frames = batch * FRAME_BYTES_PER_PIXEL + FRAMES_WAITING * WAITING_BYTES_PER_PIXEL
    return RESERVED_BYTES + pixels * frames + ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS)
