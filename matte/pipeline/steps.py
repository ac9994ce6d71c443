"""The three steps of the line, as photos, sweeps, clips and evaluation call them.

A segmenter's `segment`, then `cut_subject` and `draw`, then `refine`.
"""

from dataclasses import dataclass, replace

import numpy as np

from matte.arrays import Alpha, BoolArray, Confidence, FloatArray, Image, Mask, Trimap
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.errors import SettingError
from matte.refiner.confidence_limits import limit_by_confidence
from matte.refiner.disputes import settle_disputes
from matte.segmentation.agreement import agree_with_mask
from matte.segmentation.masks import make_mask
from matte.segmentation.plainness import is_plain
from matte.segmentation.specks import without_specks
from matte.segmentation.subjects import SubjectChoice, parse_subject, select_subjects
from matte.stages import (
    PreviousAlpha,
    RefineContext,
    Refined,
    Refiner,
    Segmentation,
    Segmenter,
)
from matte.trimap.drawing import DrawnTrimap, draw_trimap
from matte.trimap.reach import reach_for

# A mask below this share of the picture is no subject: of 150 pictures of animals 27 % instead of
# 35 % then hold somebody, and of 211 pictures of people none is lost.
MIN_SUBJECT_SHARE = 0.001
BY_MASK = SubjectChoice("mask")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Where the subject is: a segmentation, and the mask that was cut from its confidence.

    Both agree: a confidence from the threshold on is subject in the mask, however it was cleaned.
    """

    segmentation: Segmentation
    mask: Mask
    threshold: float
    """The confidence from which a pixel belongs to the mask."""

    @property
    def features(self) -> FloatArray | None:
        """What the segmenter's network hands on to the refiner."""
        return self.segmentation.features

    def is_found(self, min_share: float = MIN_SUBJECT_SHARE) -> bool:
        """Return whether the mask holds at least this share of the picture, and one pixel."""
        pixels = np.count_nonzero(self.mask)
        return bool(pixels >= max(1, min_share * self.mask.size))


def cut_subject(
    segmentation: Segmentation, settings: SegmentationSettings, region: BoolArray | None = None
) -> Subject:
    """Return the subject with its mask: the thresholded confidence, cleaned as in the settings.

    Where one of several subjects is asked for, the confidence of the others becomes 0; `region`
    (H, W), where a rough mask is, goes before the settings' choice.
    Where cleaning has changed the mask, the confidence follows it, so that the band, and what
    limits alpha in it, know of no hole that was filled and no speck that was removed.
    """
    if settings.subject is not None or region is not None:
        choice = BY_MASK if region is not None else parse_subject(settings.subject or "")
        if choice.kind == "mask" and region is None:
            raise SettingError("subject = mask:… can't be had here", "matte image takes it")
        chosen = select_subjects(segmentation.confidence, settings.threshold, choice, region)
        segmentation = replace(segmentation, confidence=chosen)
    mask = make_mask(segmentation.confidence, settings)
    if settings.cleans_mask:
        reach = reach_for(mask)
        confidence = agree_with_mask(
            segmentation.confidence, mask, settings.threshold, reach.near, reach.far
        )
        segmentation = replace(segmentation, confidence=confidence)
    return Subject(segmentation, mask, settings.threshold)


def segment_photo(segmenter: Segmenter, image: Image, threshold: float) -> Segmentation:
    """Return where the segmenter sees a photo's subject, without specks: nowhere in a plain one."""
    if is_plain(image):
        return Segmentation(Confidence(np.zeros(image.shape[:2], np.float32)))
    found = segmenter.segment(image)
    return replace(found, confidence=without_specks(found.confidence, threshold))


def draw(subject: Subject, settings: TrimapSettings) -> DrawnTrimap:
    """Return the trimap around the subject's mask."""
    found = subject.segmentation
    return draw_trimap(subject.mask, found.confidence, settings, found.unknown)


def refine(
    refiner: Refiner,
    image: Image,
    subject: Subject | None,
    drawn: DrawnTrimap,
    previous: PreviousAlpha | None = None,
    is_frame: bool = False,
) -> Refined:
    """Return the refined alpha, limited by the confidence where that has drawn the trimap.

    `subject` is None where the trimap is a user's; the next frame can go on from the alpha before
    it is limited. In photos, but not in a clip's frames, in which the choice might flicker, the
    refiner is believed where it looks righter than the limit.
    """
    features = None if subject is None else subject.features
    refined = refiner.refine(image, drawn.trimap, RefineContext(previous, features))
    alpha = refined.alpha if previous is None else previous.update(refined.alpha)
    if subject is not None and drawn.follows_confidence:
        if is_frame:
            alpha = limit_frame(alpha, drawn.trimap, subject)
        else:
            alpha = limit_photo(image, alpha, drawn.trimap, subject)
    return Refined(alpha, refined.report)


def limit_frame(alpha: Alpha, trimap: Trimap, subject: Subject) -> Alpha:
    """Return a clip's alpha, limited by the confidence."""
    found = subject.segmentation
    return limit_by_confidence(alpha, trimap, found.confidence, subject.threshold, found.unknown)


def limit_photo(image: Image, alpha: Alpha, trimap: Trimap, subject: Subject) -> Alpha:
    """Return a photo's alpha, limited by the confidence but where the refiner looks righter."""
    limited = limit_frame(alpha, trimap, subject)
    confidence = subject.segmentation.confidence
    return settle_disputes(image, trimap, confidence, subject.mask, alpha, limited)
