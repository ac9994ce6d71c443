"""Planes of numbers on a device, (N, C, H, W): resized, averaged and dilated as by OpenCV."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from matte.gpu.constants import cache_constants
from matte.trimap import reach as numpy_reach

NO_DISTANCE = float(numpy_reach.NO_DISTANCE)  # pixels
# OpenCV's 5 × 5 mask: how far a diagonal step counts, and one of two pixels along and one across.
DIAGONAL_STEP, KNIGHT_STEP = 1.4, 2.1969
FILL_ROUNDS_PER_CHECK = 4  # of filling a region, between looks at whether all of it is filled
MAX_FILL_ROUNDS = 64  # a region that winds more often than this is cut


def resize(planes: Tensor, height: int, width: int) -> Tensor:
    """Return the planes at height × width: averaged to shrink, bilinearly interpolated to grow."""
    h, w = planes.shape[2:]
    if (h, w) == (height, width):
        return planes
    if height > h or width > w:
        return F.interpolate(planes, (height, width), mode="bilinear", align_corners=False)
    if h % height == 0 and w % width == 0:
        return F.avg_pool2d(planes, (h // height, w // width))
    rows, columns = (_averaging_weights(n, m, planes.device) for n, m in ((h, height), (w, width)))
    return rows @ planes @ columns.T


def resize_levels(planes: Tensor, height: int, width: int) -> Tensor:
    """Return planes of whole numbers, resized and rounded as OpenCV rounds bytes.

    Halves are rounded to even, but up where the size is halved exactly.
    """
    resized = resize(planes, height, width)
    if planes.shape[2:] == (2 * height, 2 * width):
        return (resized + 0.5).floor()
    return resized.round()


@cache_constants(64)
def _averaging_weights(length: int, new_length: int, device: torch.device) -> Tensor:
    """Return the weight of each of `length` pixels in the mean that each of fewer ones becomes.

    (new_length, length); rows add up to 1.
    """
    edges = np.arange(new_length + 1) * (length / new_length)
    low, high = edges[:-1, None], edges[1:, None]
    at = np.arange(length)[None]
    overlap = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None)
    weights = overlap / overlap.sum(axis=1, keepdims=True)
    return torch.from_numpy(weights.astype(np.float32)).to(device)


def pad_by_reflection(planes: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """Return the planes with reflected rows (above, below) and columns (left, right) around them.

    Where they are narrower than the padding, they are reflected again and again.
    """
    for axis, sides in ((2, rows), (3, columns)):
        if any(sides):
            at = _reflected_indices(planes.shape[axis], *sides, planes.device)
            planes = planes.index_select(axis, at)
    return planes


@cache_constants(256)
def _reflected_indices(length: int, before: int, after: int, device: torch.device) -> Tensor:
    """Return the index of the pixel that lies at each place of a reflected row."""
    return torch.from_numpy(np.pad(np.arange(length), (before, after), mode="reflect")).to(device)


def box_mean(planes: Tensor, radius: int) -> Tensor:
    """Return the mean over the (2 radius + 1)² window around each pixel, borders mirrored."""
    side, both = 2 * radius + 1, (radius, radius)
    columns = F.avg_pool2d(pad_by_reflection(planes, both, (0, 0)), (side, 1), stride=1)
    return F.avg_pool2d(pad_by_reflection(columns, (0, 0), both), (1, side), stride=1)


def dilate(flags: Tensor, kernel: NDArray[np.uint8], iterations: int = 1) -> Tensor:
    """Return flags (N, 1, H, W) dilated with the kernel, which is anchored in its middle."""
    weights = _kernel_weights(kernel.tobytes(), kernel.shape, flags.device)
    high, wide = kernel.shape
    border = (wide // 2, wide - 1 - wide // 2, high // 2, high - 1 - high // 2)
    for _ in range(iterations):
        flags = F.conv2d(F.pad(flags.float(), border), weights) > 0.5
    return flags


@cache_constants(64)
def _kernel_weights(kernel: bytes, shape: tuple[int, int], device: torch.device) -> Tensor:
    """Return a kernel's bytes as the weights of a convolution, (1, 1, H, W)."""
    values = np.frombuffer(kernel, np.uint8).reshape(1, 1, *shape).astype(np.float32)
    return torch.from_numpy(values).to(device)


def dilate_by_square(flags: Tensor, radius: int) -> Tensor:
    """Return flags (N, 1, H, W) dilated with a square whose side is 2 radius + 1."""
    side = 2 * radius + 1
    columns = F.max_pool2d(flags.float(), (side, 1), stride=1, padding=(radius, 0))
    return F.max_pool2d(columns, (1, side), stride=1, padding=(0, radius)) > 0.5


def distance_to(flags: Tensor, reach: int) -> Tensor:
    """Return how far each pixel is from the nearest flag, (N, 1, H, W), in pixels.

    It is `NO_DISTANCE` if that is farther than about `reach`. Distances count straight, diagonal
    and knight's steps, as OpenCV's 5 × 5 mask does.
    """
    at = torch.arange(flags.shape[3], device=flags.device, dtype=torch.float32)
    before = torch.where(flags, at, -NO_DISTANCE).cummax(dim=3).values
    after = torch.where(flags, at, NO_DISTANCE).flip(3).cummin(dim=3).values.flip(3)
    along = torch.minimum(at - before, after - at).clamp(max=NO_DISTANCE)
    height = flags.shape[2]
    framed = F.pad(along, (0, 0, reach, reach), value=NO_DISTANCE)
    distance = along
    for step in range(1, reach + 1):
        for start in (reach - step, reach + step):
            row = framed[:, :, start : start + height]
            long, short = row.clamp(min=step), row.clamp(max=step)
            flat = long + (KNIGHT_STEP - 2) * short
            steep = (KNIGHT_STEP - DIAGONAL_STEP) * long + (2 * DIAGONAL_STEP - KNIGHT_STEP) * short
            distance = torch.minimum(distance, torch.maximum(flat, steep))
    return torch.where(distance > reach + 1, NO_DISTANCE, distance)


def connected_parts(seeds: Tensor, region: Tensor) -> Tensor:
    """Return the parts of the region (N, 1, H, W) that are connected with a seed.

    Pixels that meet at a corner are connected. Regions that wind more than `MAX_FILL_ROUNDS` times
    are cut there.
    """
    filled = seeds & region
    for turn in range(1, MAX_FILL_ROUNDS + 1):
        grown = _fill_runs(_fill_runs(filled, region, 3), region, 2)
        grown = dilate_by_square(grown, 1) & region
        if turn % FILL_ROUNDS_PER_CHECK == 0 and torch.equal(grown, filled):
            break
        filled = grown
    return filled


def _fill_runs(filled: Tensor, region: Tensor, axis: int) -> Tensor:
    """Return the filled pixels together with the region's runs, along one axis, that hold one."""
    at = torch.arange(filled.shape[axis], device=filled.device)
    at = at.view(-1, 1) if axis == 2 else at
    for _ in range(2):  # forwards, then, turned round, backwards
        last_filled = torch.where(filled, at, -1).cummax(dim=axis).values
        last_gap = torch.where(region, -1, at).cummax(dim=axis).values
        filled = (filled | (region & (last_filled > last_gap))).flip(axis)
        region = region.flip(axis)
    return filled
