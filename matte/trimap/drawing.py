"""The trimap that the settings ask for, and whether it can be worked with."""

from dataclasses import dataclass

import numpy as np

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Confidence, Mask, Trimap
from matte.configs.settings import TrimapSettings
from matte.trimap.morphology import kernel_band
from matte.trimap.reach import DOUBTS, doubtful_band, even_band, reach_for, tells_doubt

MOST = 0.5  # of a picture that may be unknown


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A trimap and how its width was come by.

    `doubtful`: the segmenter's doubt drew it, so it may be wide where a refiner can be wrong.
    """

    trimap: Trimap
    told: str
    doubtful: bool = False


def draw_band(mask: Mask, confidence: Confidence, settings: TrimapSettings) -> Band:
    """The unknown band around the mask: by `width`, by confidence (k = "auto") or by a kernel."""
    if settings.width:
        reach = settings.width.pixels(max(mask.shape))
        return Band(even_band(mask, reach), f"{reach:.1f} px to each side, as asked")
    if settings.k == "auto":
        return _doubtful(mask, confidence)
    times = f"k = {settings.k}, {settings.iterations} iterations"
    if (settings.erode, settings.dilate) != (None, None):
        inwards, outwards = settings.times
        times = f"k = {settings.k}, eroded {inwards}, dilated {outwards} times"
    return Band(kernel_band(mask, settings), f"{times}, as asked")


def _doubtful(mask: Mask, confidence: Confidence) -> Band:
    around = reach_for(mask)
    if not tells_doubt(mask, confidence):
        told = f"{around.far} px to each side: the mask tells no doubt"
        return Band(even_band(mask, around.far), told)
    found = doubtful_band(mask, confidence, around)
    told = f"{around.near} px at clean edges, {around.far} px where the segmenter is unsure"
    if found.doubt > DOUBTS[0]:
        told += f", which counts from {found.doubt:.0%} of doubt on, as it is unsure of much"
    return Band(found.trimap, told, doubtful=True)


def unknown_share(trimap: Trimap) -> float:
    """The unknown part of the picture, 0 … 1."""
    return float(np.count_nonzero(trimap == UNKNOWN) / trimap.size)


def flaw(trimap: Trimap) -> str:
    """Why nothing good can come of the trimap; empty if something can."""
    share = unknown_share(trimap)
    if trimap.max() < SUBJECT:
        return "the trimap has no sure subject"
    if not share:
        return "the trimap has nothing unknown"
    if trimap.min() > BACKGROUND:
        return "the trimap has no sure background"
    return f"{share:.0%} of the trimap is unknown" if share > MOST else ""
