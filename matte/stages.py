"""What the stages promise each other, and what a run gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from matte.arrays import Alpha, BoolArray, Confidence, FloatArray, Image, Mask, Trimap

Progress = Callable[[int, int], None]  # called with how much is done, and of how much


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Which network a stage runs, and how: what a report says of it."""

    name: str
    sha256: str
    execution: dict[str, str]
    """Backend, device, precision, and why they were chosen."""

    def as_json(self) -> dict[str, str]:
        """Return the facts as one flat table."""
        return {"name": self.name, "sha256": self.sha256, **self.execution}


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What a segmenter knows of a picture.

    `confidence` has the picture's height and width, or those that segment() was asked for.
    `unknown` is the probability of each place to be in the unknown band, of networks that have
    learnt it, at the size that the network sees; `features` (H, W, C) are what a network hands on
    to later stages.
    """

    confidence: Confidence
    unknown: FloatArray | None = None
    features: FloatArray | None = None


class Segmenter(Protocol):
    """Finds the subject; `network` is None if no network does."""

    @property
    def network(self) -> NetworkFacts | None:
        """The network that runs."""
        ...

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject.

        `size` is the height and width of the maps; None: the picture's.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ReusableAlpha:
    """An alpha (H, W) that is known already, and where it is `stale` and must be refined again.

    `copy_scale` is for photos, whose new parts have to look as if all were refined anew: the size
    of the copy that they were refined from, against their own; 1 without a copy. 0: for frames.
    """

    alpha: Alpha
    stale: BoolArray
    copy_scale: float = 0.0


class PreviousAlpha(Protocol):
    """The alpha of the frame before, for refiners that can go on from it."""

    def warped_alpha(self, image: Image, trimap: Trimap) -> ReusableAlpha | None:
        """Return the previous alpha, warped to this frame; None if there is none to go on from."""
        ...

    def update(self, alpha: Alpha) -> Alpha:
        """Remember this frame's refined alpha, and return what of it counts.

        May change `alpha` in place. Does nothing unless warped_alpha() was called for this frame.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class RefineContext:
    """What is known besides picture and trimap: the frame before, a segmenter's features."""

    previous: PreviousAlpha | None = None
    features: FloatArray | None = None


NO_CONTEXT = RefineContext()


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """A refined alpha, and in plain JSON values how it was found."""

    alpha: Alpha
    report: dict[str, Any] = field(default_factory=dict)


class Refiner(Protocol):
    """Finds how much of each unknown pixel belongs to the subject."""

    @property
    def network(self) -> NetworkFacts | None:
        """The network that runs; None if none does."""
        ...

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known."""
        ...


class TrimapFreeMatter(Protocol):
    """Finds alpha from the picture alone, without a trimap."""

    @property
    def network(self) -> NetworkFacts | None:
        """The network that runs; None if none does."""
        ...

    def matte(self, image: Image) -> Alpha:
        """Return alpha at the picture's size."""
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
