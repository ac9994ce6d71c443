"""Arrays brought to a device and back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matte.arrays import Image
from matte.runtime.torch import translate_torch_errors

Planes: TypeAlias = Tensor  # (N, C, H, W), on a device
Device: TypeAlias = torch.device
CPU = torch.device("cpu")


def upload_frames(images: Sequence[Image], device: Device) -> Planes:
    """Return RGB pictures (H, W, 3) uint8 of one size as planes (N, 3, H, W) float32, 0 … 255.

    Bytes travel; on CUDA from pinned memory, so that nothing waits for them.
    """
    batch = torch.from_numpy(np.ascontiguousarray(np.stack(images)))
    if device.type == "cuda":
        batch = batch.pin_memory()
    return batch.to(device, non_blocking=True).permute(0, 3, 1, 2).float()


def upload_plane(values: NDArray[Any], device: Device) -> Planes:
    """Return an array (H, W) or (H, W, C) as planes (1, C, H, W) of its own type."""
    channels_first = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels_first)).to(device)[None]


def download_plane(planes: Planes) -> NDArray[Any]:
    """Return one plane (1, 1, H, W) as an array (H, W)."""
    return planes[0, 0].cpu().numpy()


def download_planes(planes: Planes) -> NDArray[Any]:
    """Return planes of one channel (N, 1, H, W) as arrays (N, H, W)."""
    return planes[:, 0].cpu().numpy()


def download_frames(planes: Planes) -> NDArray[np.uint8]:
    """Return planes (N, C, H, W) of whole numbers 0 … 255 as pictures (N, H, W, C)."""
    return planes.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def concatenate(batches: Sequence[Planes]) -> Planes:
    """Return the frames of several batches as one."""
    return batches[0] if len(batches) == 1 else torch.cat(list(batches))


@contextmanager
def device_work(device: Device) -> Iterator[None]:
    """Open a block of work on a device: without gradients, and torch's errors become matte's."""
    with translate_torch_errors(device), torch.inference_mode():
        yield


def single_frames(planes: Planes) -> list[Planes]:
    """Return the frames of a batch, each as a batch of one."""
    return [planes[number : number + 1] for number in range(len(planes))]
