"""The trimap that the settings ask for, and whether it can be worked with."""

from dataclasses import dataclass

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Confidence, FloatArray, Mask, Trimap
from matte.configs.settings import TrimapSettings
from matte.trimap.morphology import kernel_band
from matte.trimap.reach import (
    BAND_LEVELS,
    DOUBT_LEVELS,
    Reach,
    confidence_band,
    even_band,
    has_soft_edge,
    learned_band,
    reach_for,
)

MAX_UNKNOWN_SHARE = 0.5  # of a picture, for a refiner to have something to go on
# Why no refiner can work with a trimap.
NO_SURE_SUBJECT = "the trimap has no sure subject"
NOTHING_UNKNOWN = "the trimap has nothing unknown"
NO_SURE_BACKGROUND = "the trimap has no sure background"


@dataclass(frozen=True, slots=True, eq=False)
class DrawnTrimap:
    """A trimap, and in words how wide its unknown band is and why.

    `follows_confidence`: the band is wide where the segmenter is unsure, so a refiner may be far
    off there, and the confidence has to limit it.
    """

    trimap: Trimap
    description: str
    follows_confidence: bool = False


def draw_trimap(
    mask: Mask, confidence: Confidence, settings: TrimapSettings, unknown: FloatArray | None = None
) -> DrawnTrimap:
    """Return the mask with an unknown band around its edge.

    The band's width comes from `width`, from what the segmenter has learnt (k = "learned", where
    `unknown` is there), from the confidence (k = "auto") or from a kernel.
    """
    if settings.is_automatic:
        if settings.k == "learned" and unknown is not None:
            return _draw_as_learned(mask, unknown)
        return _draw_by_confidence(mask, confidence)
    long_side = max(mask.shape)
    if settings.width:
        band = even_band(mask, settings.width.pixels(long_side))
    else:
        band = kernel_band(mask, settings)
    return DrawnTrimap(band, describe_band(settings, long_side))


def describe_band(settings: TrimapSettings, long_side: int) -> str:
    """Return in words the width that the settings ask for, in a picture with this long side."""
    if settings.width:
        return f"{settings.width.pixels(long_side):.1f} px to each side, as asked"
    if settings.k == "learned":
        return "wide where the edge is soft, as the segmenter has learnt"
    if settings.k == "auto":
        return "wide where the segmenter is unsure"
    times = f"k = {settings.k}, {settings.iterations} iterations"
    if (settings.erode, settings.dilate) != (None, None):
        inwards, outwards = settings.repetitions
        times = f"k = {settings.k}, eroded {inwards}, dilated {outwards} times"
    return f"{times}, as asked"


def _draw_by_confidence(mask: Mask, confidence: Confidence) -> DrawnTrimap:
    """Draw the band wide where the confidence is unsure; of one width if the mask is hard."""
    reach = reach_for(mask)
    if not has_soft_edge(mask, confidence):
        return DrawnTrimap(even_band(mask, reach.far), describe_reach(reach, is_soft=False))
    band = confidence_band(mask, confidence, reach)
    description = describe_reach(reach, is_soft=True)
    if band.min_doubt > DOUBT_LEVELS[0]:
        description += f" by {band.min_doubt:.0%} or more, as it is unsure of much of the picture"
    return DrawnTrimap(band.trimap, description, follows_confidence=True)


def describe_reach(reach: Reach, is_soft: bool) -> str:
    """Return in words how far the band reaches around a mask with or without a soft edge."""
    if not is_soft:
        return f"{reach.far} px to each side: the mask has no soft edge"
    return f"{reach.near} px at clean edges, {reach.far} px where the segmenter is unsure"


def _draw_as_learned(mask: Mask, unknown: FloatArray) -> DrawnTrimap:
    """Draw the band where the segmenter has learnt that edges are soft."""
    reach = reach_for(mask)
    band = learned_band(mask, unknown, reach)
    description = f"{reach.near} px at clean edges, wider where the edge is soft"
    if band.min_probability > BAND_LEVELS[0]:
        description += f", with a probability of {band.min_probability:.0%} or more"
    return DrawnTrimap(band.trimap, description, follows_confidence=True)


def unknown_share(trimap: Trimap) -> float:
    """Return the unknown part of the picture, 0 … 1."""
    return float(np.count_nonzero(trimap == UNKNOWN) / trimap.size)


def trimap_flaw(trimap: Trimap) -> str:
    """Return why no refiner can work with the trimap; empty if one can."""
    share = unknown_share(trimap)
    if trimap.max() < SUBJECT:
        return NO_SURE_SUBJECT
    if not share:
        return NOTHING_UNKNOWN
    if trimap.min() > BACKGROUND:
        return NO_SURE_BACKGROUND
    return f"{share:.0%} of the trimap is unknown" if share > MAX_UNKNOWN_SHARE else ""
