"""The scores of a sweep's settings, and the choice of the best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matte.configs.settings import TrimapSettings
from matte.configs.stage_settings import BandWord
from matte.pipeline.line import NO_SUBJECT

Kernel = int | BandWord
MIN_CLEAR_RATIO = 1.01  # of estimated errors; smaller differences count as equal


@dataclass(frozen=True, slots=True)
class SettingScore:
    """The measurements of one setting on one picture."""

    band: TrimapSettings
    unknown: float
    """The unknown share of the picture, 0 … 1."""
    error: float | None
    """The estimated error of alpha, as a multiple of the least in the sweep. See `AlphaErrors`."""
    instability: float | None
    """Mean |Δα| to the alphas of the next narrower and the next wider band of the sweep, each in
    the union of both bands; None without neighbours.
    """
    ms: float
    """For the trimap and alpha; of several refined at once, each has the same part."""
    doubt: str = ""
    """Why the trimap was not refined, if it was not: alpha is then the mask."""

    @property
    def name(self) -> str:
        """The setting in words."""
        return band_name(self.band)

    @property
    def is_lopsided(self) -> bool:
        """Whether the kernel is even, which draws half a kernel more on one side."""
        return not self.band.width and isinstance(self.band.k, int) and self.band.k % 2 == 0

    @property
    def remark(self) -> str:
        """The objection to the setting, if there is one."""
        if self.doubt or not self.is_lopsided:
            return self.doubt
        assert isinstance(self.band.k, int)
        return f"lopsided, k is even: k = {self.band.k + 1} is not"

    def as_json(self) -> dict[str, Any]:
        """Return the score in plain JSON values."""
        band = self.band
        kernel = not band.width and not isinstance(band.k, str)
        return {
            "setting": self.name,
            "k": None if band.width else band.k,
            "iterations": band.iterations if kernel else None,
            "width": None if band.width is None else str(band.width),
            "unknown": round(self.unknown, 5),
            "error": None if self.error is None else round(self.error, 4),
            "instability": None if self.instability is None else round(self.instability, 5),
            "ms": self.ms,
            "lopsided": self.is_lopsided,
            "doubt": self.doubt or None,
        }


@dataclass(frozen=True, slots=True)
class SweepChoice:
    """The best setting's index in the sweep, None if there is none; and the reason in words."""

    best: int | None
    reason: str


def choose_setting(pictures: Sequence[Sequence[SettingScore]]) -> SweepChoice:
    """Return the setting with the least estimated error over all pictures, by geometric means.

    The same settings were tried on each picture. What could not be refined in one of the pictures
    is not recommended; pictures without a subject don't count.
    """
    counted = [scores for scores in pictures if any(s.doubt != NO_SUBJECT for s in scores)]
    if not counted:
        return SweepChoice(None, NO_SUBJECT)
    settings = list(zip(*counted, strict=True))
    means = {
        place: math.exp(sum(math.log(s.error or 1) for s in scores) / len(scores))
        for place, scores in enumerate(settings)
        if all(s.error is not None for s in scores)
    }
    if not means:
        return SweepChoice(None, "no band of the sweep can be refined: try others")
    lowest, *others = sorted(means, key=lambda place: means[place])
    best = settings[lowest][0]
    reason = "the only one that can be recommended"
    if others:
        second, ratio = settings[others[0]][0], means[others[0]] / means[lowest]
        reason = "its estimated error is the least; "
        reason += f"that of {second.name} is {ratio:.2f} times as large"
        if ratio < MIN_CLEAR_RATIO:
            reason = f"its estimated error is hardly less than that of {second.name}"
    if best.is_lopsided:
        reason += f"; {best.remark}"
    return SweepChoice(lowest, reason)


def band_name(band: TrimapSettings) -> str:
    """Return the setting in words: `k = 7, 6 iterations`, `k = auto`, `width = 1%`."""
    if band.width:
        return f"width = {band.width}"
    if isinstance(band.k, str):
        return f"k = {band.k}"
    if (band.erode, band.dilate) == (None, None):
        return f"k = {band.k}, {band.iterations} iteration" + "s" * (band.iterations != 1)
    erosions, dilations = band.repetitions
    return f"k = {band.k}, eroded {erosions} and dilated {dilations} times"
