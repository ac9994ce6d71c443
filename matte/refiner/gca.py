"""A GCA network, fed as its authors do; large pictures in parts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.errors import SettingError, WeightsError
from matte.imaging.resizing import resize
from matte.imaging.strips import strip_slices
from matte.refiner.parts import Plan, cheapest, fits, left, whole_cost
from matte.refiner.protocols import extended, network_inputs, padded, unknown_ratio
from matte.refiner.tiles import SIDE, Again, Task, Tiling, places, refine_tiles, tiling_of
from matte.runtime.memory import ALL, Memory, Room
from matte.runtime.session import Session

INPUTS = {"image", "trimap"}
RATIO = "unknown_ratio"  # what networks with attention take besides
# GCA's demo adds a border: a fifth of a small picture's pixels. Networks of our own do as well
# without: SAD changes by half a percent.
NO_BORDER = "tester"
# Half a step of 8 bits: nobody sees less, but the subject's colours would be estimated there.
TRACE = np.float32(1 / 510)
TOGETHER = 8 * SIDE**2  # pixels of tiles that the network sees at once, if memory allows it


class Gca:
    """Alpha in the band from a network that sees the picture and the trimap."""

    def __init__(
        self,
        session: Session,
        protocol: str = "demo",
        tile: int | str = "auto",
        memory: Memory = ALL,
    ) -> None:
        """`protocol` is one of `matte.refiner.protocols.PROTOCOLS`. `tile`: "auto", and each
        picture is seen in the parts that cost least; "off", and it is seen whole, as the authors
        do, or refused if `memory` doesn't allow it; or the side of tiles. A network of a fixed
        size sees pictures whole.
        """
        if set(session.inputs) - {RATIO} != INPUTS:
            raise WeightsError(
                f"the network takes {sorted(session.inputs)}", "give a refiner of matte"
            )
        self._session = session
        self._protocol = protocol
        free = all(length is None for length in session.inputs["image"][2:])
        if not free and isinstance(tile, int):
            raise SettingError("a network of one size takes no tiles", "leave --tile out")
        self._tile = tile if free else "off"
        self._memory = memory

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        return self.refine_telling(image, trimap)[0]

    def refine_telling(self, image: Image, trimap: Trimap) -> tuple[Alpha, dict[str, Any]]:
        """The same, and how it was come by, for reports."""
        if not (trimap == UNKNOWN).any():
            return self._finished(np.zeros(trimap.shape, np.float32), trimap), {}
        room = self._memory.room(image)
        height, width = trimap.shape
        if self._tile == "auto" and not fits(trimap, room.pixels):
            image, trimap = extended(image, trimap, SIDE)
        plan = self._plan(image, trimap, room)
        alpha, told = self._refine(image, trimap, plan, self._protocol, room)
        return Alpha(np.ascontiguousarray(alpha[:height, :width])), told

    def refine_again(
        self, image: Image, trimap: Trimap, before: Alpha, stale: NDArray[np.bool_]
    ) -> Alpha:
        """What refine() gives where alpha is `stale` (H, W), and about `before` elsewhere.

        In tiles, unless refining all is less for the network to see.
        """
        tiling = tiling_of(self._tile) if isinstance(self._tile, int) else Tiling()
        if self._tile == "off" or min(trimap.shape) < tiling.side:
            return self.refine(image, trimap)
        room = self._memory.room(image)
        pixels = tiling.side**2
        task = Again(trimap, stale & (trimap == UNKNOWN))
        seen = len(places(task, tiling)) * pixels / 1e6
        whole = whole_cost(trimap.size, RATIO in self._session.inputs)
        if seen >= min(whole, len(places(Task(trimap), tiling)) * pixels / 1e6) > 0:
            return self.refine(image, trimap)
        alpha = before.copy()
        together = room.at_once(pixels, max(1, TOGETHER // pixels))
        refine_tiles(image, task, alpha, self._run, unknown_ratio(trimap), tiling, together)
        return self._finished(alpha, trimap)

    def _plan(self, image: Image, trimap: Trimap, room: Room) -> Plan:
        if self._tile == "off":
            return Plan()
        if self._tile == "auto":
            return cheapest(image, trimap, RATIO in self._session.inputs, room.pixels)
        assert isinstance(self._tile, int)
        # A picture that holds no such tile is seen whole.
        return Plan(tiling_of(self._tile) if min(trimap.shape) >= self._tile else None)

    def _refine(
        self, image: Image, trimap: Trimap, plan: Plan, protocol: str, room: Room
    ) -> tuple[Alpha, dict[str, Any]]:
        told = plan.told()
        if plan.tiling is None:
            alpha = self._refine_whole(image, trimap, protocol, room)
        else:
            alpha = np.zeros(trimap.shape, np.float32)
            task = Task(trimap)
            if plan.copy is not None:
                copy = plan.copy
                small, done = self._refine(copy.image, copy.trimap, copy.plan, NO_BORDER, room)
                told["copy"] |= done
                alpha = resize(small, *trimap.shape)
                task = left(trimap, copy, small, Alpha(alpha))
            pixels = plan.tiling.side**2
            together = room.at_once(pixels, max(1, TOGETHER // pixels))
            ratio = unknown_ratio(task.trimap)
            told["tiles"] = refine_tiles(
                image, task, alpha, self._run, ratio, plan.tiling, together
            )
        return self._finished(alpha, trimap), told

    def _refine_whole(
        self, image: Image, trimap: Trimap, protocol: str, room: Room
    ) -> NDArray[np.float32]:
        whole = padded(image, trimap, protocol)
        room.at_once(whole.trimap.size)
        (alpha,) = self._run([whole.image], [whole.trimap])
        return np.ascontiguousarray(whole.crop(alpha))

    def _finished(self, alpha: NDArray[np.float32], trimap: Trimap) -> Alpha:
        """The alpha, changed in place: what the trimap knows, and no traces that can't be seen."""
        for rows in strip_slices(*trimap.shape):
            part, known = alpha[rows], trimap[rows]
            np.clip(part, 0, 1, out=part)
            if self._tile != "off":
                part[part < TRACE] = 0
                part[part > 1 - TRACE] = 1
            part[known == BACKGROUND] = 0
            part[known == SUBJECT] = 1
        return Alpha(alpha)

    def _run(
        self, images: Sequence[Image], trimaps: Sequence[Trimap], ratio: float | None = None
    ) -> Sequence[NDArray[np.float32]]:
        """The network's alphas of pictures of one shape, which is a multiple of 32."""
        one_by_one = self._session.inputs["image"][0] is not None and len(images) > 1
        if one_by_one:
            return [self._run([i], [t], ratio)[0] for i, t in zip(images, trimaps, strict=True)]
        inputs = [network_inputs(i, t, ratio) for i, t in zip(images, trimaps, strict=True)]
        given = {
            name: np.concatenate([each[name] for each in inputs]) for name in self._session.inputs
        }
        (values,) = self._session.run(given).values()
        shape = trimaps[0].shape
        if values.shape != (len(images), 1, *shape) or not np.isfinite(values).all():
            raise WeightsError(f"the network gives no alpha of {shape}", "give a refiner of matte")
        return [alpha[0] for alpha in values]
