"""The line's steps on a device, frame by frame: segmenter, band and refiner of a line in numpy.

Each is the device's counterpart of what that line has, and calls the very same networks.
"""

from dataclasses import dataclass
from functools import singledispatch
from typing import Protocol

from torch import Tensor

from matte.configs.settings import Config
from matte.configs.stage_settings import MASK_SETTINGS
from matte.gpu.confidence_limits import limit_by_confidence
from matte.gpu.guided import DeviceGuided
from matte.gpu.low_resolution import DeviceLowResolution
from matte.gpu.pictures import (
    DevicePicture,
    DeviceRefined,
    DeviceReusableAlpha,
    DeviceTrimap,
)
from matte.gpu.refiner import DeviceGca, DeviceRefiner
from matte.gpu.results import DOUBT_WORDS, DoubtCode, doubt_codes
from matte.gpu.segmenter import DeviceSegmenter
from matte.gpu.trimap import draw_trimaps
from matte.pipeline.line import Line
from matte.refiner.gca import Gca
from matte.refiner.guided import Guided
from matte.runtime.memory import MemoryLimit
from matte.segmentation.letterboxed import LetterboxedSegmenter
from matte.trimap.drawing import describe_band, describe_reach
from matte.trimap.reach import reach_of


class DevicePreviousAlpha(Protocol):
    """The alpha of the frame before, from which a frame's can go on."""

    def warped_alpha(
        self, picture: DevicePicture, trimap: DeviceTrimap
    ) -> DeviceReusableAlpha | None:
        """Return the previous alpha, warped to this frame; None if there is none to go on from."""
        ...

    def update(self, alpha: Tensor) -> Tensor:
        """Remember this frame's refined alpha, and return what of it counts."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFrame:
    """A frame's mask (1, 1, H, W) and trimap; `doubt` says why they are not to be trusted.

    `description` says how wide the band is.
    """

    mask: Tensor
    trimap: DeviceTrimap
    follows_confidence: bool
    description: str
    doubt: str


class FrameLine:
    """Segmenter, band and refiner on a device, for frames of 8 bits."""

    def __init__(
        self,
        segmenter: DeviceSegmenter,
        refiner: DeviceRefiner,
        config: Config,
    ) -> None:
        self.segmenter, self._refiner, self._config = segmenter, refiner, config

    def draw(self, confidence: Tensor) -> DrawnFrame:
        """Return the mask and the trimap of a frame's confidence (1, 1, H, W)."""
        mask = confidence >= self._config.segmentation.threshold
        levels, follows = draw_trimaps(mask, confidence, self._config.trimap)
        code = DoubtCode(int(doubt_codes(mask, levels)[0]))
        follows_confidence = bool(follows[0])
        description = self._describe(mask, follows_confidence)
        trimap = DeviceTrimap(levels)
        return DrawnFrame(mask, trimap, follows_confidence, description, DOUBT_WORDS[code])

    def _describe(self, mask: Tensor, is_soft: bool) -> str:
        """Return in words how wide the band around a mask is."""
        long_side = max(mask.shape[2:])
        if not self._config.trimap.is_automatic:
            return describe_band(self._config.trimap, long_side)
        return describe_reach(reach_of(int(mask.count_nonzero()), long_side), is_soft)

    def refine(
        self,
        picture: DevicePicture,
        confidence: Tensor,
        drawn: DrawnFrame,
        previous: DevicePreviousAlpha | None = None,
    ) -> DeviceRefined:
        """Return refined alpha, limited by the confidence where that has drawn the trimap."""
        trimap = drawn.trimap
        refined = self.refine_unlimited(picture, drawn, previous)
        alpha = refined.alpha if previous is None else previous.update(refined.alpha)
        if drawn.follows_confidence:
            threshold = self._config.segmentation.threshold
            alpha = limit_by_confidence(alpha, trimap.unknown, confidence, threshold)
        return DeviceRefined(alpha, refined.report)

    def refine_unlimited(
        self,
        picture: DevicePicture,
        drawn: DrawnFrame,
        previous: DevicePreviousAlpha | None = None,
    ) -> DeviceRefined:
        """Return alpha as the refiner finds it."""
        reusable = None if previous is None else previous.warped_alpha(picture, drawn.trimap)
        return self._refiner.refine(picture, drawn.trimap, reusable)


def frame_line(
    line: Line,
    config: Config,
    refined_long_side: int | None = None,
    memory: MemoryLimit | None = None,
) -> FrameLine:
    """Return a line's steps on a device, within its `memory`; None: as much as on the processor.

    `refined_long_side` is that of what the line's refiner sees.
    """
    segmenter, refiner = device_segmenter(line.segmenter), device_refiner(line.refiner, memory)
    assert segmenter is not None
    assert refiner is not None
    if refined_long_side:
        refiner = DeviceLowResolution(refiner, refined_long_side)
    return FrameLine(segmenter, refiner, config)


def missing_step(line: Line, config: Config) -> str:
    """Return what of a line a device can't do, in words; empty if it can do all."""
    for name in ("subject", *MASK_SETTINGS):
        if getattr(config.segmentation, name):
            return f"{name} is set"
    if config.pipeline.budget_ms:
        return "budget_ms is set"
    if device_segmenter(line.segmenter) is None:
        return f"it has no {config.modnet.modnet or config.segmentation.segmenter}"
    if device_refiner(line.refiner) is None:
        return f"it has no refiner {config.refiner.refiner}"
    return ""


@singledispatch
def device_segmenter(segmenter: object) -> DeviceSegmenter | None:
    """Return a segmenter's counterpart on a device; None if it has none."""
    return None


@device_segmenter.register
def _(segmenter: LetterboxedSegmenter) -> DeviceSegmenter:
    return DeviceSegmenter(segmenter)


@singledispatch
def device_refiner(refiner: object, memory: MemoryLimit | None = None) -> DeviceRefiner | None:
    """Return a refiner's counterpart on a device, within its memory; None if it has none."""
    return None


@device_refiner.register
def _(refiner: Guided, memory: MemoryLimit | None = None) -> DeviceRefiner:
    return DeviceGuided()


@device_refiner.register
def _(refiner: Gca, memory: MemoryLimit | None = None) -> DeviceRefiner:
    return DeviceGca(refiner, memory)
