"""Other people's networks as stages: fed as their rule says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Confidence, FloatArray, Image, Trimap
from matte.errors import SettingError, WeightsError
from matte.imaging.lanczos import resize_lanczos
from matte.imaging.letterbox import Letterbox, letterbox
from matte.imaging.resizing import Resize, resize
from matte.pipeline.networks import OpenNetwork
from matte.pipeline.peer_maps import read_map
from matte.refiner.parts import fits
from matte.refiner.protocols import extend_to_min_side, unknown_ratio
from matte.refiner.tiles import RefineTask, refine_tiles, tiling_for_side
from matte.runtime.memory import PEER_COST, WHOLE_MACHINE, MemoryLimit
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation

FILTERS: Mapping[str, Resize] = {"area": resize, "lanczos": resize_lanczos}
MIN_BRIGHTEST = np.float32(1e-6)  # value of a picture that is divided by it
# Times a tile's pixels that a picture has at most to be refined whole: the memory that a
# transformer's attention takes grows with the square.
MAX_WHOLE_TILES = 2
OWN_SUFFIXES = (".toml", ".onnx")  # that are left out of a name in tables


class PeerNetwork:
    """A network of other people, as a segmenter, a trimap-free matter or a refiner."""

    def __init__(
        self,
        found: OpenNetwork,
        memory: MemoryLimit = WHOLE_MACHINE,
        tile: int | str = "auto",
    ) -> None:
        """`found` was opened by its rule; `memory` bounds an input of the picture's own size.

        `tile` is how a refiner sees large pictures: "auto": in tiles if its rule names their side;
        "off": as a whole; or the side of tiles in pixels.
        """
        assert found.weights.peer is not None
        self.opened = found
        self._settings = found.weights.peer
        path = Path(found.name)
        plain = path.stem if path.suffix.lower() in OWN_SUFFIXES else path.name
        self.name = self._settings.name or plain
        self._session = found.session
        self._memory = memory
        self.network = replace(found.facts, name=self.name)
        self._fixed = self._fixed_size()
        self._resize = FILTERS[self._settings.filter]
        if isinstance(tile, int) and self._fixed:
            raise SettingError("a network of one size takes no tiles", "leave --tile out")
        self._tile = tile

    @property
    def needs_trimap(self) -> bool:
        """Whether the network takes a trimap, and so can only refine."""
        return self._settings.trimap != "none"

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject.

        `size` is the height and width of the map; None: the picture's.
        """
        return Segmentation(Confidence(self._predict(image, None, size)))

    def matte(self, image: Image) -> Alpha:
        """Return alpha at the picture's size."""
        return Alpha(self._predict(image, None))

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known.

        The trimap also counts if the network takes none. Tiles cover its unknown pixels only.
        """
        side = self._tile_side(image, trimap)
        if side:
            alpha, report = self._refine_in_tiles(image, trimap, side)
        else:
            alpha, report = self._predict(image, self._given(trimap)), {}
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, alpha, known)), report)

    def _given(self, trimap: Trimap) -> Trimap | None:
        """Return the trimap if the network takes one."""
        return trimap if self.needs_trimap else None

    def _tile_side(self, image: Image, trimap: Trimap) -> int:
        """Return the side in pixels of the tiles that a picture is refined in; 0: as a whole."""
        if self._tile == "off" or self._fixed or self._settings.size:
            return 0
        if isinstance(self._tile, int):
            return self._tile if max(trimap.shape) > self._tile else 0
        side = self._settings.tile
        room = self._memory.network_memory(image, PEER_COST)
        is_small = trimap.size <= MAX_WHOLE_TILES * side**2 and fits(trimap, room.max_pixels)
        return 0 if is_small or max(trimap.shape) <= side else side

    def _refine_in_tiles(
        self, image: Image, trimap: Trimap, side: int
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Return alpha where the trimap is unknown, found in tiles, and how that was done."""
        height, width = trimap.shape
        image, trimap = extend_to_min_side(image, trimap, side)
        alpha = np.zeros(trimap.shape, np.float32)

        def run(
            pictures: Sequence[Image], trimaps: Sequence[Trimap], _ratio: float
        ) -> list[FloatArray]:
            parts = zip(pictures, trimaps, strict=True)
            return [self._predict(picture, self._given(part)) for picture, part in parts]

        tiling = tiling_for_side(side)
        task, ratio = RefineTask(trimap), unknown_ratio(trimap)
        number = refine_tiles(image, task, alpha, run, ratio, tiling, batch=1)
        why = "as asked" if isinstance(self._tile, int) else "larger than is refined at once"
        plan = {"way": "tiles", "why": why, "megapixels": {}}
        report = {**plan, "side": side, "tiles": number}
        return np.ascontiguousarray(alpha[:height, :width]), report

    def _predict(
        self, image: Image, trimap: Trimap | None, size: tuple[int, int] | None = None
    ) -> FloatArray:
        """Return the network's map of 0 … 1 at `size`, (H, W), or at the picture's."""
        s, box = self._settings, self._fit(image)
        pixels = box.pixels if s.colours == "rgb" else box.pixels[:, :, ::-1]
        if s.divide_by_max:
            pixels = pixels / max(pixels.max(), MIN_BRIGHTEST)
        planes = [(255 * pixels - np.array(s.mean, np.float32)) * np.array(s.scale, np.float32)]
        if trimap is not None:
            planes.append(self._trimap_planes(trimap, box))
        outputs = self._session.run(self._network_inputs(planes))
        values = read_map(list(outputs.values()), s, self.name)
        if values.shape != pixels.shape[:2]:
            values = self._resize(values, *pixels.shape[:2])
        inner = np.ascontiguousarray(values[: box.height, : box.width])
        return np.asarray(np.clip(self._resize(inner, *(size or image.shape[:2])), 0, 1))

    def _fit(self, image: Image) -> Letterbox:
        """Return the picture at the network's size; a stretched one has no padding."""
        s, (height, width) = self._settings, image.shape[:2]
        if not (self._fixed or s.size):
            square = s.resize == "letterbox" and s.multiple == 1
            pixels = max(height, width) ** 2 if square else (height + s.multiple) * width
            self._memory.network_memory(image, PEER_COST).max_batch(pixels)
        if s.resize == "letterbox":
            if self._fixed:
                return letterbox(image, *self._fixed, resizer=self._resize)
            longest = s.size or max(height, width)
            return letterbox(image, longest, longest, s.multiple, self._resize)
        h, w = self._fixed or (
            -(-(s.size or height) // s.multiple) * s.multiple,
            -(-(s.size or width) // s.multiple) * s.multiple,
        )
        # Pillow's filter works on the 8 bits of a picture as the networks' authors have it.
        exact = image if s.filter == "lanczos" else image.astype(np.float32)
        stretched = self._resize(exact, h, w) / np.float32(np.iinfo(image.dtype).max)
        return Letterbox(np.asarray(stretched, np.float32), h, w)

    def _trimap_planes(self, trimap: Trimap, box: Letterbox) -> FloatArray:
        """Return the trimap as the network takes it, (H, W, 1 or 3); padding is background."""
        rows = np.arange(box.height) * trimap.shape[0] // box.height
        columns = np.arange(box.width) * trimap.shape[1] // box.width
        padded = np.full(box.pixels.shape[:2], BACKGROUND, np.uint8)
        padded[: box.height, : box.width] = trimap[rows[:, None], columns]
        levels = [padded == value for value in (BACKGROUND, UNKNOWN, SUBJECT)]
        if self._settings.trimap == "onehot":
            return np.asarray(np.dstack(levels), np.float32)
        return np.asarray(0.5 * levels[1] + levels[2], np.float32)[:, :, None]

    def _network_inputs(self, planes: Sequence[FloatArray]) -> dict[str, FloatArray]:
        """Return picture and trimap as two inputs where the network has two, else as one input."""
        names = list(self._session.inputs)
        if len(names) == 1:
            planes = [np.dstack(planes)]
        if len(names) != len(planes):
            raise WeightsError(
                f"{self.name} takes {', '.join(names)}",
                "set 'trimap' in its TOML, or fix the network",
            )
        if self._settings.layout == "nchw":
            planes = [plane.transpose(2, 0, 1) for plane in planes]
        batches = [np.ascontiguousarray(plane[None], np.float32) for plane in planes]
        return dict(zip(names, batches, strict=True))

    def _fixed_size(self) -> tuple[int, int] | None:
        """Return the input's height and width if the file fixes them."""
        shape = next(iter(self._session.inputs.values()))
        if len(shape) != 4:
            raise WeightsError(f"{self.name} takes {shape}", "give a network of pictures")
        height, width = shape[2:] if self._settings.layout == "nchw" else shape[1:3]
        return (height, width) if height and width else None
