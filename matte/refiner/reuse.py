"""Refining only what is stale of the alpha that the frame before left."""

from typing import Protocol

from matte.arrays import UNKNOWN, Alpha, Image, Trimap
from matte.stages import RefineContext, Refined, ReusableAlpha


class ReusingRefiner(Protocol):
    """A refiner that can refine a part of an alpha again, and keep the rest."""

    def refine_all(self, image: Image, trimap: Trimap) -> Refined:
        """Refine all unknown pixels."""
        ...

    def refine_stale(self, image: Image, trimap: Trimap, reusable: ReusableAlpha) -> Alpha:
        """Return the reusable alpha, refined again where it is stale."""
        ...


def refine_with_reuse(
    refiner: ReusingRefiner, image: Image, trimap: Trimap, context: RefineContext
) -> Refined:
    """Refine what is stale of the previous frame's alpha; everything where there is none."""
    reusable = context.previous and context.previous.warped_alpha(image, trimap)
    if not reusable:
        return refiner.refine_all(image, trimap)
    alpha = refiner.refine_stale(image, trimap, reusable)
    return Refined(alpha, {"again": round(stale_share(reusable, trimap), 5)})


def stale_share(reusable: ReusableAlpha, trimap: Trimap) -> float:
    """Return the part of the unknown pixels whose alpha is stale, 0 … 1."""
    unknown = trimap == UNKNOWN
    return float(reusable.stale[unknown].mean()) if unknown.any() else 0.0
