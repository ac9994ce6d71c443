"""The ways from a picture to its alpha."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Confidence, Image, Mask, Trimap
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.errors import MissingWeightsError, SettingError
from matte.pipeline.budget import Budget
from matte.pipeline.timing import Stopwatch
from matte.refiner.belief import believed
from matte.segmentation.masks import make_mask
from matte.stages import Matter, Refiner, ResumingRefiner, Segmenter, TellingRefiner
from matte.trimap.drawing import draw_band, flaw, unknown_share

NO_SUBJECT = "no subject found"
TRIMAP_AS_GIVEN = "as given"
# A mask below this share of the picture is no subject: of 150 pictures of animals 27 % instead of
# 35 % then hold somebody, and of 211 pictures of people none is lost.
LEAST = 0.001


class Before(Protocol):
    """What refiners found in the frame before."""

    def still(self, image: Image, trimap: Trimap) -> tuple[Alpha, NDArray[np.bool_]] | None:
        """Its alpha where it has moved to, and what of it is stale; None if it tells nothing."""
        ...

    def learn(self, alpha: Alpha) -> Alpha:
        """Takes what the refiner found in the picture that still() was asked for, which it may
        change, and gives what of it is to be believed.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What is known of a picture beforehand: nothing, where the subject is, or its trimap; and if
    it is a clip's, the frame before.
    """

    confidence: Confidence | None = None
    trimap: Trimap | None = None
    before: Before | None = None
    guessed: bool = False
    """Whether a segmenter tells the confidence: what is tiny is no subject then."""


NOTHING = Given()


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a line found; `doubt` tells why it is not to be trusted, where it isn't."""

    alpha: Alpha
    mask: Mask | None = None
    trimap: Trimap | None = None
    report: dict[str, Any] = field(default_factory=dict)
    doubt: str = ""


class Line(Protocol):
    """A picture's whole way to alpha."""

    @property
    def segmenter(self) -> Segmenter | None:
        """What finds the subject first, if anything does."""
        ...

    def run(self, image: Image, given: Given) -> Found:
        """Alpha, with what was measured on the way in its report."""
        ...

    def refined_by(self, change: Callable[[Refiner], Refiner]) -> "Line":
        """The same line, its refiner changed, if it has one."""
        ...


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands for a segmenter whose weights are missing: only who needs it fails."""

    error: MissingWeightsError

    def segment(self, image: Image) -> Confidence:
        """Raises what is wrong."""
        raise self.error


@dataclass(frozen=True, slots=True)
class TwoStage:
    """Mask, trimap, refined alpha."""

    segmenter: Segmenter
    segmentation: SegmentationSettings
    band: TrimapSettings
    refiner: Refiner
    budget: Budget

    def run(self, image: Image, given: Given = NOTHING) -> Found:
        """Alpha, with its mask and its trimap; where it is doubted, no further than the doubt."""
        watch = Stopwatch()
        if given.trimap is not None:
            return self._refine(image, given.trimap, given.before, watch)
        confidence = given.confidence
        if confidence is None:
            with watch("segment"):
                confidence = self.segmenter.segment(image)
        with watch("trimap"):
            mask = make_mask(confidence, self.segmentation)
            band = draw_band(mask, confidence, self.band)
        report: dict[str, Any] = {
            "unknown": round(unknown_share(band.trimap), 5),
            "band": band.told,
        }
        guessed = given.guessed or given.confidence is None
        if not np.count_nonzero(mask) >= (LEAST * mask.size if guessed else 1):
            nobody = Alpha(np.zeros(mask.shape, np.float32))
            return Found(nobody, mask, band.trimap, {**report, "ms": watch.ms}, NO_SUBJECT)
        doubt = flaw(band.trimap) or self.budget.exceeded(band.trimap, watch.ms)
        if doubt:
            alpha = Alpha((mask == SUBJECT).astype(np.float32))
            return Found(alpha, mask, band.trimap, {**report, "ms": watch.ms}, doubt)
        with watch("refine"):
            alpha, report["refined"] = self._alpha(image, band.trimap, given.before)
            if band.doubtful:
                alpha = believed(alpha, band.trimap, confidence, self.segmentation.threshold)
        self.budget.learn(band.trimap, watch.ms)
        return Found(alpha, mask, band.trimap, {**report, "ms": watch.ms})

    def refined_by(self, change: Callable[[Refiner], Refiner]) -> "TwoStage":
        """The same line, its refiner changed."""
        return replace(self, refiner=change(self.refiner))

    def _refine(
        self, image: Image, trimap: Trimap, before: Before | None, watch: Stopwatch
    ) -> Found:
        """Alpha for a trimap that was given: it is believed, whatever it looks like."""
        report: dict[str, Any] = {
            "unknown": round(unknown_share(trimap), 5),
            "band": TRIMAP_AS_GIVEN,
        }
        doubt = self.budget.exceeded(trimap, watch.ms)
        if doubt:
            alpha = Alpha((trimap == SUBJECT).astype(np.float32))
            return Found(alpha, None, trimap, {**report, "ms": watch.ms}, doubt)
        with watch("refine"):
            alpha, report["refined"] = self._alpha(image, trimap, before)
        self.budget.learn(trimap, watch.ms)
        return Found(alpha, None, trimap, {**report, "ms": watch.ms})

    def _alpha(
        self, image: Image, trimap: Trimap, before: Before | None
    ) -> tuple[Alpha, dict[str, Any]]:
        """Alpha, and how the refiner came by it, if it has several ways."""
        if before is None or not isinstance(self.refiner, ResumingRefiner):
            return self._anew(image, trimap)
        still = before.still(image, trimap)
        if still is None:
            alpha, told = self._anew(image, trimap)
        else:
            was, stale = still
            alpha = self.refiner.refine_again(image, trimap, was, stale)
            told = {"again": round(_share(stale, trimap), 5)}
        return before.learn(alpha), told

    def _anew(self, image: Image, trimap: Trimap) -> tuple[Alpha, dict[str, Any]]:
        if isinstance(self.refiner, TellingRefiner):
            return self.refiner.refine_telling(image, trimap)
        return self.refiner.refine(image, trimap), {}


def _share(stale: NDArray[np.bool_], trimap: Trimap) -> float:
    """The part of what is unknown that is stale."""
    unknown = trimap == UNKNOWN
    return float(stale[unknown].mean()) if unknown.any() else 0.0


@dataclass(frozen=True, slots=True)
class TrimapFree:
    """Alpha from one network."""

    matter: Matter

    @property
    def segmenter(self) -> None:
        """None: the network sees the picture alone."""

    def refined_by(self, change: Callable[[Refiner], Refiner]) -> "TrimapFree":
        """The line itself: nothing is refined."""
        return self

    def run(self, image: Image, given: Given = NOTHING) -> Found:
        """Alpha, without mask and trimap: none may be given."""
        if given.confidence is not None or given.trimap is not None:
            raise SettingError("a run with a MODNet takes no mask and no trimap", "leave them out")
        watch = Stopwatch()
        with watch("matte"):
            alpha = self.matter.matte(image)
        return Found(alpha, report={"ms": watch.ms})
