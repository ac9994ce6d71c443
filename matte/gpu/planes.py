"""Planes of numbers on a device, (N, C, H, W): scaled, averaged, grown and measured, as OpenCV does
for the line in numpy.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

FAR = 1e6  # pixels: from what is not there
SLANTED, KNIGHT = 1.4, 2.1969  # how far a diagonal step counts, and one of two along and one across
ROUNDS = 4  # of spreading, between looks at whether all is reached
MOST_ROUNDS = 64  # a region that winds more often than this is cut

Held = dict[Any, Tensor]
_HELD: ContextVar[Held | None] = ContextVar("held", default=None)


@contextmanager
def holding(held: Held) -> Iterator[None]:
    """Within it, the constants that are calculated with come to be in `held`, and from there.

    A recorded graph reads them where they lie: they must live as long as it does, and the caches
    below forget.
    """
    before = _HELD.set(held)
    try:
        yield
    finally:
        _HELD.reset(before)


def _remembered(most: int) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Makes a function keep its last results, and leave those it gives to who is holding."""

    def decorate(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
        cached = lru_cache(maxsize=most)(make)

        @wraps(make)
        def found(*given: Any) -> Tensor:
            held = _HELD.get()
            if held is None:
                return cached(*given)
            key = make, given
            if key not in held:
                held[key] = cached(*given)
            return held[key]

        return found

    return decorate


def scaled(planes: Tensor, height: int, width: int) -> Tensor:
    """The planes at height × width: averaged where they shrink, interpolated where they grow."""
    h, w = planes.shape[2:]
    if (h, w) == (height, width):
        return planes
    if height > h or width > w:
        return F.interpolate(planes, (height, width), mode="bilinear", align_corners=False)
    if h % height == 0 and w % width == 0:
        return F.avg_pool2d(planes, (h // height, w // width))
    rows, columns = (_shares(n, m, planes.device) for n, m in ((h, height), (w, width)))
    return rows @ planes @ columns.T


def scaled_levels(planes: Tensor, height: int, width: int) -> Tensor:
    """`scaled` for whole numbers, rounded as OpenCV rounds bytes: halves to even, but up where the
    size is halved exactly.
    """
    found = scaled(planes, height, width)
    if planes.shape[2:] == (2 * height, 2 * width):
        return (found + 0.5).floor()
    return found.round()


@_remembered(64)
def _shares(before: int, after: int, device: torch.device) -> Tensor:
    """How much each of `before` pixels in a row counts for each of `after`, fewer, ones."""
    edges = np.arange(after + 1) * (before / after)
    low, high = edges[:-1, None], edges[1:, None]
    at = np.arange(before)[None]
    overlap = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None)
    shares = overlap / overlap.sum(axis=1, keepdims=True)
    return torch.from_numpy(shares.astype(np.float32)).to(device)


def reflected(planes: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """The planes with so many reflected rows and columns around; reflected again and again where
    they are narrower.
    """
    for axis, sides in ((2, rows), (3, columns)):
        if any(sides):
            at = _reflection(planes.shape[axis], *sides, planes.device)
            planes = planes.index_select(axis, at)
    return planes


@_remembered(256)
def _reflection(length: int, before: int, after: int, device: torch.device) -> Tensor:
    return torch.from_numpy(np.pad(np.arange(length), (before, after), mode="reflect")).to(device)


def box_mean(planes: Tensor, radius: int) -> Tensor:
    """The mean over the (2 radius + 1)² window around each pixel, borders mirrored."""
    side, both = 2 * radius + 1, (radius, radius)
    high = F.avg_pool2d(reflected(planes, both, (0, 0)), (side, 1), stride=1)
    return F.avg_pool2d(reflected(high, (0, 0), both), (1, side), stride=1)


def grown(flags: Tensor, kernel: NDArray[np.uint8], times: int = 1) -> Tensor:
    """BoolArray (N, 1, H, W) dilated with the kernel, anchored in its middle, so many times."""
    weight = _weight(kernel.tobytes(), kernel.shape, flags.device)
    high, wide = kernel.shape
    border = (wide // 2, wide - 1 - wide // 2, high // 2, high - 1 - high // 2)
    for _ in range(times):
        flags = F.conv2d(F.pad(flags.float(), border), weight) > 0.5
    return flags


@_remembered(64)
def _weight(kernel: bytes, shape: tuple[int, int], device: torch.device) -> Tensor:
    values = np.frombuffer(kernel, np.uint8).reshape(1, 1, *shape).astype(np.float32)
    return torch.from_numpy(values).to(device)


def grown_square(flags: Tensor, radius: int) -> Tensor:
    """BoolArray (N, 1, H, W) dilated with a square, whose side is 2 radius + 1."""
    side = 2 * radius + 1
    high = F.max_pool2d(flags.float(), (side, 1), stride=1, padding=(radius, 0))
    return F.max_pool2d(high, (1, side), stride=1, padding=(0, radius)) > 0.5


def distance_to(flags: Tensor, reach: int) -> Tensor:
    """How far each pixel is from the nearest flag, (N, 1, H, W); `FAR` if it is farther than about
    `reach` pixels. Counted in straight, slanted and knight's steps, as OpenCV's 5 × 5 mask does.
    """
    at = torch.arange(flags.shape[3], device=flags.device, dtype=torch.float32)
    before = torch.where(flags, at, -FAR).cummax(dim=3).values
    after = torch.where(flags, at, FAR).flip(3).cummin(dim=3).values.flip(3)
    along = torch.minimum(at - before, after - at).clamp(max=FAR)
    height = flags.shape[2]
    framed = F.pad(along, (0, 0, reach, reach), value=FAR)
    distance = along
    for step in range(1, reach + 1):
        for start in (reach - step, reach + step):
            row = framed[:, :, start : start + height]
            long, short = row.clamp(min=step), row.clamp(max=step)
            flat = long + (KNIGHT - 2) * short
            steep = (KNIGHT - SLANTED) * long + (2 * SLANTED - KNIGHT) * short
            distance = torch.minimum(distance, torch.maximum(flat, steep))
    return torch.where(distance > reach + 1, FAR, distance)


def touching(seeds: Tensor, region: Tensor) -> Tensor:
    """The parts of the region (N, 1, H, W) that hang together, over corners too, with the seeds."""
    held = seeds & region
    for turn in range(1, MOST_ROUNDS + 1):
        spread = _along(_along(held, region, 3), region, 2)
        spread = grown_square(spread, 1) & region
        if turn % ROUNDS == 0 and torch.equal(spread, held):
            break
        held = spread
    return held


def _along(held: Tensor, region: Tensor, axis: int) -> Tensor:
    """What is held, spread over the runs of the region that it lies in, along one axis."""
    at = torch.arange(held.shape[axis], device=held.device)
    at = at.view(-1, 1) if axis == 2 else at
    found = held
    for _ in range(2):  # forwards, then, turned round, backwards
        last_held = torch.where(found, at, -1).cummax(dim=axis).values
        last_gap = torch.where(region, -1, at).cummax(dim=axis).values
        found = (found | (region & (last_held > last_gap))).flip(axis)
        region = region.flip(axis)
    return found
