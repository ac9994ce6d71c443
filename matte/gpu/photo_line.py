"""A line whose steps for photos run on a device: uploaded once, alpha downloaded once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from matte.arrays import SUBJECT, Alpha, Confidence, Image, Mask
from matte.configs.settings import Config
from matte.errors import MatteError, NamedNetworkError, SettingError
from matte.gpu.choice import DevicePlan
from matte.gpu.frame_line import FrameLine, frame_line
from matte.gpu.pictures import upload_picture
from matte.gpu.transfer import device_work, download_plane, upload_plane
from matte.pipeline.line import (
    NO_PRIOR,
    Line,
    LineResult,
    NetworkFactsByKind,
    Prior,
    trimap_report,
)
from matte.pipeline.steps import Subject, limit_photo
from matte.pipeline.timing import Stopwatch
from matte.segmentation.plainness import is_plain
from matte.segmentation.specks import without_specks
from matte.stages import Refiner, Segmentation, Segmenter


@dataclass(frozen=True, slots=True, eq=False)
class DevicePhotoLine:
    """A processor's line, and its steps on a device for what these can do.

    Photos of 16 bits or of one colour, those with a mask or a trimap of their own, and those that
    are doubted or fail are the processor's line's, with its fallback.
    """

    line: Line
    config: Config
    plan_for: Callable[[tuple[int, int]], DevicePlan]
    """Returns where a photo of this height and width is worked on; raises if it is too large."""

    @property
    def segmenter(self) -> Segmenter | None:
        """The processor's line's segmenter."""
        return self.line.segmenter

    @property
    def refiner(self) -> Refiner | None:
        """The processor's line's refiner."""
        return self.line.refiner

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the networks, which both share."""
        return self.line.network_facts

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> Line:
        """Return the processor's line with another refiner."""
        return self.line.with_refiner(change)

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return alpha with its mask and trimap."""
        if prior != NO_PRIOR or image.dtype != np.uint8 or is_plain(image):
            return self.line.run(image, prior)
        plan = self.plan_for((image.shape[0], image.shape[1]))
        watch = Stopwatch()
        try:
            with device_work(plan.device):
                steps = frame_line(self.line, self.config, memory=plan.memory)
                found = self._run(steps, image, plan, watch)
        except (SettingError, NamedNetworkError):
            raise
        except MatteError:  # the line meets it, too, or does without the device
            return self.line.run(image)
        if isinstance(found, LineResult):
            return found
        result = self.line.run(image, Prior(found, from_segmenter=True))
        return replace(result, report={**result.report, "ms": watch.ms | result.report["ms"]})

    def _run(
        self, line: FrameLine, image: Image, plan: DevicePlan, watch: Stopwatch
    ) -> LineResult | Segmentation:
        """Return the result, or only the segmentation where the trimap is doubted."""
        with watch("segment"):
            picture = upload_picture(image, plan.device)
            confidence = line.segmenter.segment(picture.planes)
            seen = Confidence(download_plane(confidence))
            cleaned = without_specks(seen, self.config.segmentation.threshold)
            if cleaned is not seen:
                confidence = upload_plane(cleaned, plan.device)
        with watch("trimap"):
            drawn = line.draw(confidence)
        if drawn.doubt:
            return Segmentation(cleaned)
        with watch("refine"):
            refined = line.refine_unlimited(picture, drawn)
            alpha = Alpha(download_plane(refined.alpha))
            mask = Mask(download_plane(drawn.mask).astype(np.uint8) * np.uint8(SUBJECT))
            if drawn.follows_confidence:
                subject = Subject(Segmentation(cleaned), mask, self.config.segmentation.threshold)
                alpha = limit_photo(image, alpha, drawn.trimap.array, subject)
        report = trimap_report(drawn.trimap.array, drawn.description)
        report |= {"refined": refined.report, "ms": watch.ms, "on": str(plan.device)}
        return LineResult(alpha, mask, drawn.trimap.array, report)
