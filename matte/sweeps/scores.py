"""The scores of a sweep's settings, and the choice of the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matte.configs.settings import TrimapSettings
from matte.pipeline.line import NO_SUBJECT

Kernel = int | Literal["auto"]
MIN_CLEAR_LEAD = 0.005  # of agreement; smaller differences count as equal


@dataclass(frozen=True, slots=True)
class SettingScore:
    """The measurements of one setting on one picture."""

    band: TrimapSettings
    unknown: float
    """The unknown share of the picture, 0 … 1."""
    agreement: float | None
    """How well alpha's edges lie on the picture's: 1 at best, 0 by chance. See `PictureEdges`."""
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
        return self.doubt or ("lopsided: k is even" if self.is_lopsided else "")

    def as_json(self) -> dict[str, Any]:
        """Return the score in plain JSON values."""
        band = self.band
        kernel = not band.width and band.k != "auto"
        return {
            "setting": self.name,
            "k": None if band.width else band.k,
            "iterations": band.iterations if kernel else None,
            "width": None if band.width is None else str(band.width),
            "unknown": round(self.unknown, 5),
            "agreement": None if self.agreement is None else round(self.agreement, 4),
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
    """Return the setting with the highest mean agreement over all pictures.

    The same settings were tried on each picture. Even kernels are not recommended, nor is what
    could not be refined in one of the pictures; pictures without a subject don't count.
    """
    counted = [scores for scores in pictures if any(s.doubt != NO_SUBJECT for s in scores)]
    if not counted:
        return SweepChoice(None, NO_SUBJECT)
    settings = list(zip(*counted, strict=True))
    means = {
        place: sum(s.agreement or 0 for s in scores) / len(scores)
        for place, scores in enumerate(settings)
        if all(s.agreement is not None for s in scores)
    }
    if not means:
        return SweepChoice(None, "no band of the sweep can be refined: try others")
    ranked = sorted(means, key=lambda place: -means[place])
    sound = [place for place in ranked if not settings[place][0].is_lopsided]
    if not sound:
        return SweepChoice(
            None, "even kernels are lopsided, and there is nothing else: add an odd k"
        )
    highest, *others = sound
    which = "mean agreement" if len(counted) > 1 else "agreement"
    reason = f"{which} {means[highest]:.3f}"
    if others:
        reason = f"alpha's edges lie best on the picture's: {reason}"
        clear = means[highest] - means[others[0]] >= MIN_CLEAR_LEAD
        reason += ", then " if clear else ", hardly more than the "
        reason += f"{means[others[0]]:.3f} of {settings[others[0]][0].name}"
    else:
        reason += ", the only one that can be recommended"
    if ranked[0] != highest:
        lopsided = settings[ranked[0]][0]
        reason += (
            f"; {lopsided.name} has {means[ranked[0]]:.3f}, but is lopsided: try the next odd k"
        )
    return SweepChoice(highest, reason)


def band_name(band: TrimapSettings) -> str:
    """Return the setting in words: `k = 7, 6 iterations`, `k = auto`, `width = 1%`."""
    if band.width:
        return f"width = {band.width}"
    if band.k == "auto":
        return "k = auto"
    if (band.erode, band.dilate) == (None, None):
        return f"k = {band.k}, {band.iterations} iteration" + "s" * (band.iterations != 1)
    erosions, dilations = band.repetitions
    return f"k = {band.k}, eroded {erosions} and dilated {dilations} times"
