"""The alpha of a picture before a stroke: what the stroke does not touch is not refined again."""

from dataclasses import dataclass
from typing import Any

from matte.arrays import Alpha, Image, Trimap
from matte.stages import ReusableAlpha


@dataclass(frozen=True, slots=True, eq=False)
class RefinedBefore:
    """A refined alpha, as the refiner left it, and the trimap that it was refined with.

    `copy_scale` as of `ReusableAlpha`; 0 where the picture was refined as a whole, which is quick.
    """

    trimap: Trimap
    alpha: Alpha
    copy_scale: float


class LastAlpha:
    """Goes on from the alpha before a stroke, and remembers the one after it."""

    def __init__(self, before: RefinedBefore | None) -> None:
        self._before = before
        self._trimap: Trimap | None = None
        self._alpha: Alpha | None = None

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        """Return the alpha before, and where the trimap has changed since; None without one."""
        self._trimap = trimap
        before = self._before
        if before is None or not before.copy_scale or before.trimap.shape != trimap.shape:
            return None
        return ReusableAlpha(before.alpha, before.trimap != trimap, before.copy_scale)

    def update(self, alpha: Alpha) -> Alpha:
        """Remember the refined alpha; return it."""
        self._alpha = alpha
        return alpha

    def to_remember(self, refined: dict[str, Any]) -> RefinedBefore | None:
        """Return what to go on from at the next stroke; `refined` is the refiner's report."""
        if self._trimap is None or self._alpha is None:
            return None
        scale = copy_scale(refined, self._trimap.shape[1])
        if "again" in refined and self._before is not None:
            scale = self._before.copy_scale
        return RefinedBefore(self._trimap, self._alpha, scale)


def copy_scale(refined: dict[str, Any], width: int) -> float:
    """Return the scale of the copy that a picture was refined from, by the refiner's report."""
    if "copy" in refined:
        return float(refined["copy"]["width"] / width)
    return 1.0 if refined.get("way") == "tiles" else 0.0
