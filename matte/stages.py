"""What the stages promise each other, and what a run gives back."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, Image, Mask, Trimap


class Segmenter(Protocol):
    """Finds the subject."""

    def segment(self, image: Image) -> Confidence:
        """How surely each pixel belongs to the subject, at the picture's size."""
        ...


class Refiner(Protocol):
    """Finds how much of each unknown pixel belongs to the subject."""

    def refine(self, image: Image, trimap: Trimap) -> Alpha:
        """Alpha at the picture's size; 0 and 1 where the trimap knows."""
        ...


@runtime_checkable
class TellingRefiner(Refiner, Protocol):
    """A refiner that has several ways to go about a picture."""

    def refine_telling(self, image: Image, trimap: Trimap) -> tuple[Alpha, dict[str, Any]]:
        """What refine() gives, and in plain JSON values how it was come by."""
        ...


@runtime_checkable
class ResumingRefiner(Refiner, Protocol):
    """A refiner that can go on from what is known of alpha already."""

    def refine_again(
        self, image: Image, trimap: Trimap, before: Alpha, stale: NDArray[np.bool_]
    ) -> Alpha:
        """What refine() gives where alpha is `stale` (H, W), and about `before` elsewhere."""
        ...


class Matter(Protocol):
    """Finds alpha from the picture alone, without a trimap."""

    def matte(self, image: Image) -> Alpha:
        """Alpha at the picture's size."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """One picture's result: all arrays have the picture's height and width.

    `mask` and `trimap` are None where the run had none; `report` holds plain JSON values.
    """

    alpha: Alpha
    foreground: Image
    mask: Mask | None
    trimap: Trimap | None
    report: dict[str, Any]
