"""The line on a device as a `Line`: pictures one by one, each as a batch of one frame.

>>> import numpy as np
>>> from matte.configs.loader import merge_settings
>>> from matte.gpu.line import DeviceLine
>>> config = merge_settings("fast", flags={"k": 3}).config
>>> bright = lambda image: (image.mean(dim=1, keepdim=True) > 0.5).float()
>>> line = SinglePictureLine(DeviceLine(bright, lambda image, trimap: trimap, config, size=64))
>>> picture = np.zeros((64, 64, 3), np.uint8)
>>> picture[16:48, 16:48] = 255
>>> line.run(picture).alpha[32, 32]
np.float32(1.0)
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from matte.arrays import Alpha, Confidence, Image, Mask, Trimap
from matte.gpu.line import DeviceLine, as_planes
from matte.gpu.planes import resize
from matte.gpu.results import raise_no_alpha
from matte.imaging.bit_depth import convert_depth
from matte.pipeline.budget import Budget
from matte.pipeline.line import (
    NO_PRIOR,
    NO_SUBJECT,
    LineResult,
    NetworkFactsByKind,
    Prior,
    TwoStage,
    trimap_report,
)
from matte.pipeline.timing import Stopwatch
from matte.runtime.torch import translate_torch_errors
from matte.stages import NO_CONTEXT, NetworkFacts, RefineContext, Refined, Refiner, Segmentation
from matte.trimap.drawing import describe_band, trimap_flaw

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, eq=False)
class DeviceSegmenter:
    """The device line's segmenter, for one picture."""

    line: DeviceLine
    device: torch.device
    network: NetworkFacts | None = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject.

        `size` is the height and width of the map; None: the picture's.
        """
        with translate_torch_errors(self.device), torch.inference_mode():
            confidence, is_confidence = self.line.segment(as_planes(_as_batch(image, self.device)))
            if not is_confidence.all():
                raise_no_alpha()
            confidence = resize(confidence, *(size or image.shape[:2]))
            return Segmentation(Confidence(confidence[0, 0].cpu().numpy()))


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRefiner:
    """The device line's refiner, for one picture; it goes on from no frame before."""

    line: DeviceLine
    device: torch.device
    network: NetworkFacts | None = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known."""
        with translate_torch_errors(self.device), torch.inference_mode():
            levels = torch.from_numpy(trimap).to(self.device)[None, None]
            planes = as_planes(_as_batch(image, self.device))
            alpha, is_refined = self.line.refine(planes, levels)
            if not is_refined.all():
                raise_no_alpha()
            return Refined(Alpha(alpha[0, 0].cpu().numpy()))


@dataclass(frozen=True, slots=True, eq=False)
class SinglePictureLine:
    """Runs a DeviceLine on one picture after the other; of 16 bits the upper 8 count.

    `network_facts` are those of the device line's networks, `device` is where they are.
    """

    device_line: DeviceLine
    device: torch.device = CPU
    network_facts: NetworkFactsByKind = field(default_factory=dict)

    @property
    def segmenter(self) -> DeviceSegmenter:
        """The device line's segmenter."""
        return DeviceSegmenter(self.device_line, self.device, self.network_facts.get("segmenter"))

    @property
    def stages(self) -> TwoStage:
        """The line in single stages: segmenter and refiner on the device, the trimap in numpy."""
        config = self.device_line.config
        refiner = DeviceRefiner(self.device_line, self.device, self.network_facts.get("refiner"))
        return TwoStage(self.segmenter, config.segmentation, config.trimap, refiner, Budget(0))

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return alpha with its mask and trimap, from one run on the device.

        With a prior there is less to run on the device, and it runs stage by stage.
        """
        if any(known is not None for known in (prior.segmentation, prior.trimap, prior.previous)):
            return self.stages.run(image, prior)
        watch = Stopwatch()
        with watch("device"):
            results = self.device_line.run(_as_batch(image, self.device))
            doubt = results.doubts()[0]
            assert results.mask is not None
            assert results.trimap is not None
            alpha = Alpha(results.alpha[0].cpu().numpy())
            mask = Mask(results.mask[0].cpu().numpy())
            trimap = Trimap(results.trimap[0].cpu().numpy())
        description = describe_band(self.device_line.config.trimap, max(mask.shape))
        report = {**trimap_report(trimap, description), "ms": watch.ms}
        if doubt not in ("", NO_SUBJECT):
            doubt = trimap_flaw(trimap)  # here the unknown share can be said, too
        if not doubt:
            report["refined"] = {}
        return LineResult(alpha, mask, trimap, report, doubt)

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> TwoStage:
        """Return the line in single stages, with the refiner that `change` gives for its own."""
        return self.stages.with_refiner(change)


def _as_batch(image: Image, device: torch.device) -> Tensor:
    """Return the picture as a batch of one frame (1, H, W, 3) uint8 on the device."""
    pixels = np.ascontiguousarray(convert_depth(image, np.dtype(np.uint8)))
    return torch.from_numpy(pixels).to(device)[None]
