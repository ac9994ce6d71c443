"""The ways from a picture to its alpha: segmenter, trimap and refiner, or one network alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from matte.arrays import SUBJECT, Alpha, BoolArray, Image, Mask, Trimap
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.errors import (
    BackendError,
    MissingWeightsError,
    NamedNetworkError,
    SettingError,
    WeightsError,
)
from matte.pipeline.budget import Budget
from matte.pipeline.steps import Subject, cut_subject, draw, refine, segment_photo
from matte.pipeline.subject_masks import SubjectMask
from matte.pipeline.timing import Stopwatch
from matte.stages import (
    NetworkFacts,
    PreviousAlpha,
    Refiner,
    Segmentation,
    Segmenter,
    TrimapFreeMatter,
)
from matte.trimap.drawing import DrawnTrimap, trimap_flaw, unknown_share

NO_SUBJECT = "no subject found"
NO_CHOSEN_SUBJECT = "nobody is where subject says"
TRIMAP_AS_GIVEN = "as given"

NetworkFactsByKind = dict[str, NetworkFacts]  # by kind: segmenter, refiner, modnet


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is known of a picture before the line runs: where the subject is, or its trimap.

    `previous` is the alpha of the frame before, where the picture is a clip's frame.
    """

    segmentation: Segmentation | None = None
    trimap: Trimap | None = None
    previous: PreviousAlpha | None = None
    is_frame: bool = False
    """Whether the picture is a clip's frame, and has to go with those around it."""
    from_segmenter: bool = False
    """Whether a segmenter made the segmentation: then a tiny mask is no subject."""
    limit: Subject | None = None
    """What limits alpha in a trimap that was drawn from it and then changed by hand."""
    subject_mask: SubjectMask | None = None
    """Which of several subjects is meant, where the settings choose by a mask."""
    is_chosen: bool = False
    """Whether the segmentation holds the chosen subjects alone: the settings choose no more."""
    said: BoolArray | None = None
    """Where a person said himself what is subject and what is not: nothing changes alpha there."""
    note: str = ""
    """What a person should know of a mask of their own: that it was scaled."""


NO_PRIOR = Prior()


@dataclass(frozen=True, slots=True, eq=False)
class LineResult:
    """What a line found; `doubt` says why it is not to be trusted, and is empty if it is."""

    alpha: Alpha
    mask: Mask | None = None
    trimap: Trimap | None = None
    report: dict[str, Any] = field(default_factory=dict)
    doubt: str = ""


class Line(Protocol):
    """A picture's whole way to alpha."""

    @property
    def segmenter(self) -> Segmenter | None:
        """The segmenter that runs first; None if the line has none."""
        ...

    @property
    def refiner(self) -> Refiner | None:
        """The refiner that runs last; None if the line has none."""
        ...

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the loaded networks by kind, for reports: names, and how they run."""
        ...

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return alpha, with what was measured on the way in its report."""
        ...

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> "Line":
        """Return the same line with another refiner in place of its own, if it has one."""
        ...


@dataclass(frozen=True, slots=True)
class MissingSegmenter:
    """Stands for a segmenter whose weights are missing: only a run that needs it fails."""

    error: MissingWeightsError
    network: NetworkFacts | None = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Raise the error that says how to get the weights."""
        raise self.error


@dataclass(frozen=True, slots=True)
class TwoStage:
    """The line of segmenter, trimap and refiner.

    `named` are the segmenter and the refiner that the user named himself, by their kind.
    """

    segmenter: Segmenter
    segmentation: SegmentationSettings
    band: TrimapSettings
    refiner: Refiner
    budget: Budget
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the refiner's and segmenter's networks, of those stages that have one."""
        found = {"refiner": self.refiner.network, "segmenter": self.segmenter.network}
        return {kind: facts for kind, facts in found.items() if facts is not None}

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return alpha with its mask and trimap; the mask as alpha where the trimap is doubted."""
        watch = Stopwatch()
        if prior.trimap is not None:
            given = DrawnTrimap(prior.trimap, TRIMAP_AS_GIVEN, prior.limit is not None)
            return self._refine(image, prior.limit, given, prior, watch)
        segmentation = prior.segmentation
        if segmentation is None:
            with watch("segment"), no_replacement("segmenter", self.named):
                segmentation = self._segment(image, prior)
        with watch("trimap"):
            region = None if prior.subject_mask is None else prior.subject_mask.region
            settings = self.segmentation
            if prior.is_chosen:
                settings = replace(settings, subject=None)
            subject = cut_subject(segmentation, settings, region)
            drawn = draw(subject, self.band)
        if not _is_found(subject, prior):
            mask, trimap = subject.mask, drawn.trimap
            report = {**trimap_report(trimap, drawn.description), "ms": watch.ms}
            return LineResult(
                Alpha(np.zeros(mask.shape, np.float32)),
                mask,
                trimap,
                report,
                self._reason_for_none(segmentation, prior),
            )
        return self._refine(image, subject, drawn, prior, watch)

    def _segment(self, image: Image, prior: Prior) -> Segmentation:
        """Return where the segmenter sees the subject."""
        if prior.is_frame:
            return self.segmenter.segment(image)
        return segment_photo(self.segmenter, image, self.segmentation.threshold)

    def _reason_for_none(self, segmentation: Segmentation, prior: Prior) -> str:
        """Return why there is no subject: nobody at all, or nobody of those that were chosen."""
        settings = self.segmentation
        if prior.is_chosen:
            return NO_CHOSEN_SUBJECT
        if settings.subject is None and prior.subject_mask is None:
            return NO_SUBJECT
        is_anybody = cut_subject(segmentation, replace(settings, subject=None)).is_found()
        return NO_CHOSEN_SUBJECT if is_anybody else NO_SUBJECT

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> "TwoStage":
        """Return the same line with the refiner that `change` gives for its own."""
        return replace(self, refiner=change(self.refiner))

    def _refine(
        self,
        image: Image,
        subject: Subject | None,
        drawn: DrawnTrimap,
        prior: Prior,
        watch: Stopwatch,
    ) -> LineResult:
        """Return the refined alpha; what is sure as alpha where the trimap is doubted.

        A trimap of the user's is used whatever it looks like.
        """
        trimap, is_given = drawn.trimap, drawn.description == TRIMAP_AS_GIVEN
        mask = None if subject is None or is_given else subject.mask
        report = trimap_report(trimap, drawn.description)
        doubt = "" if is_given else trimap_flaw(trimap)
        doubt = doubt or self.budget.overrun(trimap, watch.ms)
        if doubt:
            sure = (trimap if mask is None else mask) == SUBJECT
            report["ms"] = watch.ms
            return LineResult(Alpha(sure.astype(np.float32)), mask, trimap, report, doubt)
        with watch("refine"), no_replacement("refiner", self.named):
            refined = refine(self.refiner, image, subject, drawn, prior.previous, prior.is_frame)
        self.budget.update_pace(trimap, watch.ms)
        report |= {"refined": refined.report, "ms": watch.ms}
        return LineResult(refined.alpha, mask, trimap, report)


@contextmanager
def no_replacement(kind: str, named: Mapping[str, str]) -> Iterator[None]:
    """Turn a network's error, within the block, into one that nothing takes over, if it is named.

    `named` are the networks that the user named, by their kind.
    """
    try:
        yield
    except (WeightsError, BackendError) as error:
        if kind not in named:
            raise
        cause = f"{named[kind]} can't be the {kind} ({error.cause})"
        raise NamedNetworkError(cause, error.remedy) from error


def trimap_report(trimap: Trimap, description: str) -> dict[str, Any]:
    """Return what a report says of a trimap: its unknown share, and its band in words."""
    return {"unknown": round(unknown_share(trimap), 5), "band": description}


def _is_found(subject: Subject, prior: Prior) -> bool:
    """Return whether there is a subject: in a user's own mask one pixel is enough."""
    if prior.segmentation is None or prior.from_segmenter:
        return subject.is_found()
    return subject.is_found(min_share=0)


@dataclass(frozen=True, slots=True)
class TrimapFree:
    """The line of one network that needs no trimap."""

    matter: TrimapFreeMatter

    @property
    def segmenter(self) -> None:
        """None: the network sees the picture alone."""

    @property
    def refiner(self) -> None:
        """None: the network's alpha is not refined."""

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the one network; none if the matter has none."""
        return {} if self.matter.network is None else {"modnet": self.matter.network}

    def with_refiner(self, change: Callable[[Refiner], Refiner]) -> "TrimapFree":
        """Return the line itself: nothing is refined."""
        return self

    def run(self, image: Image, prior: Prior = NO_PRIOR) -> LineResult:
        """Return alpha without mask and trimap; raises if one of them is given."""
        given = (prior.segmentation, prior.trimap, prior.subject_mask)
        if any(one is not None for one in given):
            raise SettingError("a run with a MODNet takes no mask and no trimap", "leave them out")
        watch = Stopwatch()
        with watch("matte"):
            alpha = self.matter.matte(image)
        return LineResult(alpha, report={"ms": watch.ms})
