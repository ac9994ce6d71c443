"""Stand-ins for what is slow or random, a few lines each."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image, Mask, Trimap

Floats = NDArray[np.float32]


class FakeSession:
    """A network that is a function of its one input."""

    backend = "fake"

    def __init__(
        self,
        function: Callable[[Floats], Floats],
        shape: tuple[int | None, ...] = (None, 3, None, None),
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.inputs = {"image": shape}
        self.seen: list[Floats] = []
        self._function = function
        self._metadata = metadata or {}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
        self.seen.append(inputs["image"])
        return {"mask": self._function(inputs["image"])}

    def metadata(self) -> dict[str, str]:
        return self._metadata


class BrightIsSubject:
    """Segments what is brighter than half."""

    def segment(self, image: Image) -> Mask:
        top = np.iinfo(image.dtype).max
        return Mask(np.where(image.mean(axis=2) > top / 2, 255, 0).astype(np.uint8))


class HalfUnknown:
    """Refines every unknown pixel to 0.5."""

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        return Alpha(np.select([trimap == 0, trimap == 255], [0, 1], 0.5).astype(np.float32))
