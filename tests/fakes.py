"""Stand-ins for what is slow or random, a few lines each."""

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, Image, Trimap
from matte.configs.loader import MergedSettings
from matte.configs.settings import Config
from matte.imaging.resizing import resize
from matte.pipeline.budget import Budget
from matte.pipeline.fallback import Fallback
from matte.pipeline.line import Line, NetworkFactsByKind, TrimapFree, TwoStage
from matte.pipeline.run import BuiltPipeline
from matte.runtime.execution import Execution
from matte.stages import (
    NO_CONTEXT,
    RefineContext,
    Refined,
    Refiner,
    Segmentation,
    Segmenter,
)

Floats = NDArray[np.float32]


class FakeSession:
    """A network that is a function of its one input."""

    execution = Execution("fake")

    def __init__(
        self,
        function: Callable[[Floats], Floats],
        shape: tuple[int | None, ...] = (None, 3, None, None),
        metadata: dict[str, str] | None = None,
        output: str = "mask",
    ) -> None:
        self.inputs = {"image": shape}
        self._output = output
        self.seen: list[Floats] = []
        self._function = function
        self._metadata = metadata or {}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
        self.seen.append(inputs["image"])
        return {self._output: self._function(inputs["image"])}

    def metadata(self) -> dict[str, str]:
        return self._metadata


class BrightIsSubject:
    """A segmenter that is sure of what is brighter than half."""

    network = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        top = np.iinfo(image.dtype).max
        confidence = (image.mean(axis=2) > top / 2).astype(np.float32)
        return Segmentation(Confidence(resize(confidence, *(size or confidence.shape))))


class HalfUnknown:
    """A refiner that sets every unknown pixel to 0.5."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        alpha = np.select([trimap == 0, trimap == 255], [0, 1], 0.5)
        return Refined(Alpha(alpha.astype(np.float32)))


class BrightIsAlpha:
    """A trimap-free network whose alpha is the brightness."""

    network = None

    def matte(self, image: Image) -> Alpha:
        return Alpha((image.mean(axis=2) / np.iinfo(image.dtype).max).astype(np.float32))


class Unrefined:
    """What a line needs besides run(), if it has neither segmenter nor refiner."""

    segmenter: Segmenter | None = None
    refiner: Refiner | None = None

    @property
    def network_facts(self) -> NetworkFactsByKind:
        return {}

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> Self:
        return self


def two_stage(config: Config) -> TwoStage:
    budget = Budget(config.pipeline.budget_ms)
    refiner = HalfUnknown()
    return TwoStage(BrightIsSubject(), config.segmentation, config.trimap, refiner, budget)


def build(merged: MergedSettings, opening: object = None) -> BuiltPipeline:
    """What pipeline.build gives, without networks."""
    config = merged.config
    second = None if config.pipeline.fallback == "none" else lambda: TrimapFree(BrightIsAlpha())
    line: Line = Fallback(two_stage(config), second)
    if config.modnet.modnet:
        line = TrimapFree(BrightIsAlpha())
    return BuiltPipeline(line, merged, config.media.max_pixels)
