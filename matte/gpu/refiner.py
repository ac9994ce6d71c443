"""The protocol of refiners on a device, and the networks' one."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matte.arrays import SUBJECT, UNKNOWN, Alpha
from matte.errors import WeightsError
from matte.gpu.networks import run_session
from matte.gpu.pictures import (
    BOTH_SIDES,
    DevicePicture,
    DeviceRefined,
    DeviceReusableAlpha,
    DeviceTrimap,
    upload_picture,
    upload_trimap,
)
from matte.gpu.planes import pad_by_reflection, resize
from matte.gpu.transfer import download_plane, single_frames
from matte.refiner.gca import MAX_BATCH_PIXELS, MIN_VISIBLE_ALPHA, NO_BORDER, RATIO_INPUT, Gca
from matte.refiner.parts import Plan, fits, remaining_task
from matte.refiner.protocols import MULTIPLE, PROTOCOLS, unknown_ratio
from matte.refiner.tiles import SIDE, RefineTask, StaleTask, Tiling, tile_corners, tile_window
from matte.runtime.memory import MemoryLimit, NetworkMemory

WHITE = 255


class DeviceRefiner(Protocol):
    """Finds how much of each unknown pixel belongs to the subject, on a device."""

    def refine(
        self,
        picture: DevicePicture,
        trimap: DeviceTrimap,
        reusable: DeviceReusableAlpha | None = None,
    ) -> DeviceRefined:
        """Return alpha: 0 and 1 where the trimap is known.

        Goes on from what is known of the frame before, if there is such.
        """
        ...


class DeviceGca:
    """A refiner whose network sees frame and trimap: whole, in tiles, or a copy and then tiles.

    What is refined how is planned on the processor, as `matte.refiner.gca` plans it.
    """

    def __init__(self, refiner: Gca, memory: MemoryLimit | None = None) -> None:
        """`memory` is what the device's work may take; None: as much as the refiner's."""
        self._gca = refiner
        self._memory = memory or refiner.memory

    def refine(
        self,
        picture: DevicePicture,
        trimap: DeviceTrimap,
        reusable: DeviceReusableAlpha | None = None,
    ) -> DeviceRefined:
        """Return alpha, refined again only where a reusable one is stale."""
        if not (trimap.array == UNKNOWN).any():
            return DeviceRefined(trimap.known_alpha())
        room = self._memory.network_memory(picture.array)
        if reusable is not None:
            stale = download_plane(reusable.stale) & (trimap.array == UNKNOWN)
            tiling = self._gca.stale_tiling(trimap.array, stale)
            if tiling is not None:
                task = StaleTask(trimap.array, stale)
                alpha = reusable.alpha.clone()
                ratio = unknown_ratio(trimap.array)
                self._refine_tiles(picture, task, alpha, ratio, tiling, room)
                return DeviceRefined(self._finish(alpha, trimap))
        height, width = trimap.shape
        if self._gca.tile == "auto" and not fits(trimap.array, room.max_pixels):
            picture, trimap = _extend(picture, trimap, SIDE)
        plan = self._gca.plan(picture.array, trimap.array, room)
        refined = self._refine_planned(picture, trimap, plan, self._gca.protocol, room)
        alpha = refined.alpha[..., :height, :width].contiguous()
        return DeviceRefined(alpha, refined.report)

    def _refine_planned(
        self,
        picture: DevicePicture,
        trimap: DeviceTrimap,
        plan: Plan,
        protocol: str,
        room: NetworkMemory,
    ) -> DeviceRefined:
        """Return alpha, refined by the plan, and report how."""
        report = plan.report()
        if plan.tiling is None:
            whole = self._refine_whole(picture, trimap, protocol, room)
            return DeviceRefined(self._finish(whole, trimap), report)
        alpha, task = torch.zeros_like(trimap.levels, dtype=torch.float32), RefineTask(trimap.array)
        if plan.copy is not None:
            copy, device = plan.copy, alpha.device
            small = self._refine_planned(
                upload_picture(copy.image, device),
                upload_trimap(copy.trimap, device),
                copy.plan,
                NO_BORDER,
                room,
            )
            report["copy"] |= small.report
            alpha = resize(small.alpha, *trimap.shape)
            small_array, enlarged = (Alpha(download_plane(x)) for x in (small.alpha, alpha))
            task = remaining_task(trimap.array, copy, small_array, enlarged)
        ratio = unknown_ratio(task.trimap)
        tiles = self._refine_tiles(picture, task, alpha, ratio, plan.tiling, room)
        return DeviceRefined(self._finish(alpha, trimap), report | {"tiles": tiles})

    def _refine_whole(
        self, picture: DevicePicture, trimap: DeviceTrimap, protocol: str, room: NetworkMemory
    ) -> Tensor:
        """Return the network's alpha of the whole frame, seen at once."""
        border = PROTOCOLS[protocol]
        sides = [(border, border + -length % MULTIPLE) for length in trimap.shape]
        image = pad_by_reflection(picture.planes, *sides)
        room.max_batch(image[0, 0].numel())
        alpha = self._run(image, pad_by_reflection(trimap.levels, *sides))
        height, width = trimap.shape
        return alpha[..., border : border + height, border : border + width]

    def _refine_tiles(
        self,
        picture: DevicePicture,
        task: RefineTask,
        alpha: Tensor,
        ratio: float,
        tiling: Tiling,
        room: NetworkMemory,
    ) -> int:
        """Write alpha at the task's pixels only, in place; return the number of tiles."""
        device, side = alpha.device, tiling.side
        window = torch.from_numpy(tile_window(tiling)).to(device)
        counted = torch.zeros(task.trimap.shape, dtype=torch.float16, device=device)
        batch = room.max_batch(side**2, max(1, MAX_BATCH_PIXELS // side**2))
        trimap = upload_trimap(task.trimap, device)
        corners = tile_corners(task, tiling)
        for start in range(0, len(corners), batch):
            parts = [
                (slice(y, y + side), slice(x, x + side)) for y, x in corners[start : start + batch]
            ]
            images = torch.cat([picture.crop(part) for part in parts])
            levels = torch.cat([trimap.levels[(*BOTH_SIDES, *part)] for part in parts])
            found = self._run(images, levels, ratio)
            weights = _on_device([task.existing_weight(*part) for part in parts], device)
            wanted = _on_device([task.pixels_in(*part) for part in parts], device)
            for part, values, weight, where in zip(
                parts, found[:, 0], weights, wanted, strict=True
            ):
                so_far = counted[part].float()
                total = torch.where(so_far == 0, weight, so_far) + window
                counted[part] = total.half()
                at = alpha[0, 0][part]
                at += torch.where(where, (window / total) * (values - at), 0)
        return len(corners)

    def _run(self, image: Tensor, levels: Tensor, ratio: float | None = None) -> Tensor:
        """Return the network's alphas (N, 1, H, W); raise WeightsError if they are none."""
        session = self._gca.session
        one_by_one = session.inputs["image"][0] is not None and len(image) > 1
        if one_by_one:
            pairs = zip(single_frames(image), single_frames(levels), strict=True)
            return torch.cat([self._run(i, t, ratio) for i, t in pairs])
        known = torch.where(levels == SUBJECT, 1.0, torch.where(levels == 0, 0.0, 0.5))
        ratios = torch.full((len(image),), -1.0 if ratio is None else ratio, device=image.device)
        given = {"image": image / WHITE, "trimap": known, RATIO_INPUT: ratios}
        values = run_session(session, {name: given[name] for name in session.inputs})
        if values.shape != known.shape or not bool(torch.isfinite(values).all()):
            size = tuple(known.shape[2:])
            raise WeightsError(f"the network gives no alpha of {size}", "give a refiner of matte")
        return values

    def _finish(self, alpha: Tensor, trimap: DeviceTrimap) -> Tensor:
        """Return alpha 0 … 1: 0 and 1 where the trimap knows, and 0 where it is negligible."""
        alpha = alpha.clamp(0, 1)
        if self._gca.tile != "off":
            least = float(MIN_VISIBLE_ALPHA)
            alpha = torch.where(alpha < least, 0.0, alpha)
            alpha = torch.where(alpha > 1 - least, 1.0, alpha)
        return torch.where(trimap.unknown, alpha, trimap.known_alpha())


def _extend(
    picture: DevicePicture, trimap: DeviceTrimap, min_side: int
) -> tuple[DevicePicture, DeviceTrimap]:
    """Return frame and trimap, extended by reflection to at least `min_side`."""
    sides = [(0, max(0, min_side - length)) for length in trimap.shape]
    if not any(more for _, more in sides):
        return picture, trimap
    planes, levels = (pad_by_reflection(x, *sides) for x in (picture.planes, trimap.levels))
    return DevicePicture(planes), DeviceTrimap(levels)


def _on_device(arrays: Sequence[NDArray[Any]], device: torch.device) -> Iterator[Tensor]:
    """Return the arrays, all of one shape, on the device, one after the other."""
    return iter(torch.from_numpy(np.stack(arrays)).to(device))
