"""A GCA network as a refiner: fed as its authors do, and large pictures in parts."""

from collections.abc import Sequence

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, BoolArray, FloatArray, Image, Trimap
from matte.errors import SettingError, WeightsError
from matte.imaging.resizing import resize
from matte.imaging.strips import strip_slices
from matte.refiner.changes import MAX_CHANGED_SHARE, blend_changes, changed_window
from matte.refiner.parts import (
    Plan,
    cheapest_plan,
    fits,
    is_too_deep_for_tiles,
    part_plan,
    remaining_task,
    whole_cost,
)
from matte.refiner.protocols import (
    extend_to_min_side,
    network_inputs,
    pad_for_network,
    unknown_ratio,
)
from matte.refiner.reuse import refine_with_reuse
from matte.refiner.tiles import (
    SIDE,
    RefineTask,
    StaleTask,
    Tiling,
    refine_tiles,
    tile_corners,
    tiling_for_side,
)
from matte.runtime.memory import WHOLE_MACHINE, MemoryLimit, NetworkMemory
from matte.runtime.session import Session
from matte.stages import NO_CONTEXT, NetworkFacts, RefineContext, Refined, ReusableAlpha

REQUIRED_INPUTS = {"image", "trimap"}
RATIO_INPUT = "unknown_ratio"  # which networks with attention take besides
# GCA's demo adds a border: a fifth of a small picture's pixels. Networks of our own do as well
# without: SAD changes by half a percent.
NO_BORDER = "tester"
# Alpha nearer to 0 and 1 than half a step of 8 bits is invisible, but colours would be estimated.
MIN_VISIBLE_ALPHA = np.float32(1 / 510)
MAX_BATCH_PIXELS = 8 * SIDE**2  # of the tiles in one batch, if memory allows it


class Gca:
    """A refiner whose network sees the picture and the trimap."""

    def __init__(
        self,
        session: Session,
        protocol: str = "demo",
        tile: int | str = "auto",
        memory: MemoryLimit = WHOLE_MACHINE,
        network: NetworkFacts | None = None,
    ) -> None:
        """`protocol` is one of `matte.refiner.protocols.PROTOCOLS`.

        `tile` is "auto": each picture is refined in the parts that cost least; "off": as a whole,
        as the authors do, and refused if `memory` doesn't allow it; or the side of tiles in pixels.
        A network of a fixed size always sees pictures whole.
        """
        self.network = network
        if set(session.inputs) - {RATIO_INPUT} != REQUIRED_INPUTS:
            raise WeightsError(
                f"the network takes {sorted(session.inputs)}", "give a refiner of matte"
            )
        self.session = session
        self.protocol = protocol
        free = all(length is None for length in session.inputs["image"][2:])
        if not free and isinstance(tile, int):
            raise SettingError("a network of one size takes no tiles", "leave --tile out")
        self.tile = tile if free else "off"
        self.memory = memory

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known.

        Goes on from the previous frame's alpha where the context has one.
        """
        return refine_with_reuse(self, image, trimap, context)

    def refine_all(self, image: Image, trimap: Trimap) -> Refined:
        """Refine all unknown pixels by the plan that suits the picture's size."""
        if not (trimap == UNKNOWN).any():
            return Refined(self._finish(np.zeros(trimap.shape, np.float32), trimap))
        room = self.memory.network_memory(image)
        height, width = trimap.shape
        if self.tile == "auto" and not fits(trimap, room.max_pixels):
            image, trimap = extend_to_min_side(image, trimap, SIDE)
        plan = self.plan(image, trimap, room)
        refined = self._refine_planned(image, trimap, plan, self.protocol, room)
        alpha = np.ascontiguousarray(refined.alpha[:height, :width])
        return Refined(Alpha(alpha), refined.report)

    def refine_stale(self, image: Image, trimap: Trimap, reusable: ReusableAlpha) -> Alpha:
        """Return the reusable alpha, refined again where it is stale.

        That is done in tiles, unless the network sees less in refining the whole picture.
        """
        if reusable.copy_scale:
            return self._refine_changes(image, trimap, reusable)
        stale = reusable.stale & (trimap == UNKNOWN)
        tiling = self.stale_tiling(trimap, stale)
        if tiling is None:
            return self.refine_all(image, trimap).alpha
        room, pixels = self.memory.network_memory(image), tiling.side**2
        task = StaleTask(trimap, stale)
        alpha = reusable.alpha.copy()
        batch = room.max_batch(pixels, max(1, MAX_BATCH_PIXELS // pixels))
        refine_tiles(image, task, alpha, self._run, unknown_ratio(trimap), tiling, batch)
        return self._finish(alpha, trimap)

    def stale_tiling(self, trimap: Trimap, stale: BoolArray) -> Tiling | None:
        """Return the tiles by which to refine stale pixels again; None: all is refined again.

        That is where no tile fits or sees enough, or where the network sees less in the whole
        picture.
        """
        tiling = tiling_for_side(self.tile) if isinstance(self.tile, int) else Tiling()
        if self.tile == "off" or min(trimap.shape) < tiling.side:
            return None
        if self.tile == "auto" and is_too_deep_for_tiles(trimap):
            return None
        pixels = tiling.side**2
        seen = len(tile_corners(StaleTask(trimap, stale), tiling)) * pixels / 1e6
        whole = whole_cost(trimap.size, RATIO_INPUT in self.session.inputs)
        if seen >= min(whole, len(tile_corners(RefineTask(trimap), tiling)) * pixels / 1e6) > 0:
            return None
        return tiling

    def _refine_changes(self, image: Image, trimap: Trimap, reusable: ReusableAlpha) -> Alpha:
        """Return a photo's alpha, refined again around its stale pixels as if all of it were."""
        window = changed_window(reusable)
        if window is None:
            return reusable.alpha
        part_image, part_trimap = Image(image[window]), Trimap(trimap[window])
        if part_trimap.size > MAX_CHANGED_SHARE * trimap.size or self.tile != "auto":
            return self.refine_all(image, trimap).alpha
        plan = part_plan(part_image, part_trimap, reusable.copy_scale)
        room = self.memory.network_memory(image)
        found = self._refine_planned(part_image, part_trimap, plan, NO_BORDER, room).alpha
        return blend_changes(reusable, window, found, part_trimap)

    def plan(self, image: Image, trimap: Trimap, room: NetworkMemory) -> Plan:
        """Return how to refine the picture: whole, in tiles, or as a copy and then in tiles."""
        if self.tile == "off":
            return Plan()
        if self.tile == "auto":
            return cheapest_plan(image, trimap, RATIO_INPUT in self.session.inputs, room.max_pixels)
        assert isinstance(self.tile, int)
        # A picture that holds no such tile is seen whole.
        return Plan(tiling_for_side(self.tile) if min(trimap.shape) >= self.tile else None)

    def _refine_planned(
        self, image: Image, trimap: Trimap, plan: Plan, protocol: str, room: NetworkMemory
    ) -> Refined:
        """Refine all unknown pixels by the plan, and report how."""
        report = plan.report()
        if plan.tiling is None:
            alpha = self._refine_whole(image, trimap, protocol, room)
        else:
            alpha = np.zeros(trimap.shape, np.float32)
            task = RefineTask(trimap)
            if plan.copy is not None:
                copy = plan.copy
                small = self._refine_planned(copy.image, copy.trimap, copy.plan, NO_BORDER, room)
                report["copy"] |= small.report
                alpha = resize(small.alpha, *trimap.shape)
                task = remaining_task(trimap, copy, small.alpha, Alpha(alpha))
            pixels = plan.tiling.side**2
            batch = room.max_batch(pixels, max(1, MAX_BATCH_PIXELS // pixels))
            ratio = unknown_ratio(task.trimap)
            report["tiles"] = refine_tiles(image, task, alpha, self._run, ratio, plan.tiling, batch)
        return Refined(self._finish(alpha, trimap), report)

    def _refine_whole(
        self, image: Image, trimap: Trimap, protocol: str, room: NetworkMemory
    ) -> FloatArray:
        """Return the network's alpha of the whole picture, seen at once."""
        whole = pad_for_network(image, trimap, protocol)
        room.max_batch(whole.trimap.size)
        (alpha,) = self._run([whole.image], [whole.trimap])
        return np.ascontiguousarray(whole.crop(alpha))

    def _finish(self, alpha: FloatArray, trimap: Trimap) -> Alpha:
        """Set known pixels to 0 and 1 and negligible alpha to 0, in place; return the alpha."""
        for rows in strip_slices(*trimap.shape):
            part, known = alpha[rows], trimap[rows]
            np.clip(part, 0, 1, out=part)
            if self.tile != "off":
                part[part < MIN_VISIBLE_ALPHA] = 0
                part[part > 1 - MIN_VISIBLE_ALPHA] = 1
            part[known == BACKGROUND] = 0
            part[known == SUBJECT] = 1
        return Alpha(alpha)

    def _run(
        self, images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float | None = None
    ) -> Sequence[FloatArray]:
        """Return the network's alphas of pictures of one shape, which is a multiple of 32."""
        one_by_one = self.session.inputs["image"][0] is not None and len(images) > 1
        if one_by_one:
            return [self._run([i], [t], ratio)[0] for i, t in zip(images, trimaps, strict=True)]
        inputs = [network_inputs(i, t, ratio) for i, t in zip(images, trimaps, strict=True)]
        given = {
            name: np.concatenate([each[name] for each in inputs]) for name in self.session.inputs
        }
        (values,) = self.session.run(given).values()
        shape = trimaps[0].shape
        if values.shape != (len(images), 1, *shape) or not np.isfinite(values).all():
            raise WeightsError(f"the network gives no alpha of {shape}", "give a refiner of matte")
        return [alpha[0] for alpha in values]
