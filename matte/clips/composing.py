"""Frames with their alpha, put on a background or cut out."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from numpy.typing import NDArray

from matte.arrays import Alpha, Image
from matte.clips.frames import MattedFrame, colour_estimation_side
from matte.compositing.composer import Composer
from matte.compositing.foreground import clean_soft_edges, estimate_foreground
from matte.pipeline.timing import Stopwatch


@dataclass(frozen=True, slots=True, eq=False)
class ComposedFrame:
    """A frame's alpha, the subject's own colours, and the composite."""

    alpha: Alpha
    foreground: Image
    composite: NDArray[Any]


class FrameComposing(Protocol):
    """Finds the subject's colours in frames, and puts them on their background."""

    def compose_all(
        self, frames: Sequence[MattedFrame], seconds: Sequence[Fraction]
    ) -> list[ComposedFrame]:
        """Return the frames composed; `seconds` are their times."""
        ...


class ProcessorComposing:
    """Composes frames one by one, on the processor."""

    def __init__(self, composer: Composer, watch: Stopwatch, colours: bool = True) -> None:
        """Unless `colours` are wanted, a foreground is good for an opaque composite only."""
        self._composer, self._watch = composer, watch
        self._estimate_colours = estimate_foreground if colours else clean_soft_edges

    def compose_all(
        self, frames: Sequence[MattedFrame], seconds: Sequence[Fraction]
    ) -> list[ComposedFrame]:
        """Return the frames composed; `seconds` are their times."""
        return [self._compose(*each) for each in zip(frames, seconds, strict=True)]

    def _compose(self, frame: MattedFrame, seconds: Fraction) -> ComposedFrame:
        """Return one frame composed."""
        image, alpha = frame.image, frame.alpha
        with self._watch("foreground"):
            side = colour_estimation_side(image)
            foreground = self._estimate_colours(image, alpha, detail=side)
        with self._watch("composite"):
            composite = self._composer.compose(image, foreground, alpha, seconds)
        return ComposedFrame(alpha, foreground, composite)
