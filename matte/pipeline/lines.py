"""The ways from a picture to its matte."""

from dataclasses import dataclass
from typing import Any, Protocol

from matte.arrays import Image
from matte.compositing.foreground import estimate_foreground
from matte.configs.settings import TrimapSettings
from matte.pipeline.timing import Stopwatch
from matte.stages import Matte, Matter, Refiner, Segmenter
from matte.trimap.morphology import make_trimap, unknown_share


class Line(Protocol):
    """A picture's whole way."""

    def run(self, image: Image) -> Matte:
        """The matte, with what was measured on the way in its report."""
        ...


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Mask, trimap, refined alpha."""

    segmenter: Segmenter
    trimap: TrimapSettings
    refiner: Refiner

    def run(self, image: Image) -> Matte:
        """The matte, with its mask and its trimap."""
        watch = Stopwatch()
        with watch("segment"):
            mask = self.segmenter.segment(image)
        with watch("trimap"):
            trimap = make_trimap(mask, self.trimap)
        with watch("refine"):
            alpha = self.refiner.refine(image, trimap)
        with watch("foreground"):
            foreground = estimate_foreground(image, alpha)
        report: dict[str, Any] = {
            "subject": bool(mask.any()),
            "unknown": round(unknown_share(trimap), 5),
            "ms": watch.ms,
        }
        return Matte(alpha, foreground, mask, trimap, report)


@dataclass(frozen=True, slots=True)
class TrimapFree:
    """Alpha from one network."""

    matter: Matter

    def run(self, image: Image) -> Matte:
        """The matte, without mask and trimap."""
        watch = Stopwatch()
        with watch("matte"):
            alpha = self.matter.matte(image)
        with watch("foreground"):
            foreground = estimate_foreground(image, alpha)
        report: dict[str, Any] = {"subject": bool((alpha >= 0.5).any()), "ms": watch.ms}
        return Matte(alpha, foreground, None, None, report)
