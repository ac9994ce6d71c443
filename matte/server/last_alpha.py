"""The alpha of a picture before a stroke: what the stroke does not touch is not refined again."""

from dataclasses import dataclass

import cv2
import numpy as np

from matte.arrays import Alpha, Image, Trimap
from matte.stages import ReusableAlpha

# Pixels around a changed trimap within which alpha is refined again.
REACH = 32


@dataclass(frozen=True, slots=True, eq=False)
class RefinedBefore:
    """A refined alpha, as the refiner left it, and the trimap that it was refined with."""

    trimap: Trimap
    alpha: Alpha


class LastAlpha:
    """Goes on from the alpha before a stroke, and remembers the one after it."""

    def __init__(self, before: RefinedBefore | None) -> None:
        self._before = before
        self._trimap: Trimap | None = None
        self.after: RefinedBefore | None = None

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        """Return the alpha before, and where the trimap has changed since; None without one."""
        self._trimap = trimap
        before = self._before
        if before is None or before.trimap.shape != trimap.shape:
            return None
        changed = (before.trimap != trimap).view(np.uint8)
        if not changed.any():
            return ReusableAlpha(before.alpha, np.zeros(trimap.shape, np.bool_))
        square = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
        return ReusableAlpha(before.alpha, np.asarray(cv2.dilate(changed, square) > 0))

    def update(self, alpha: Alpha) -> Alpha:
        """Remember the refined alpha; return it."""
        if self._trimap is not None:
            self.after = RefinedBefore(self._trimap, Alpha(alpha.copy()))
        return alpha
