"""Alpha of one frame after another."""

from collections import Counter
from dataclasses import dataclass

from matte.arrays import Alpha, Confidence, Image
from matte.clips.alpha_reuse import Kept
from matte.clips.mask_reuse import Attention
from matte.clips.motion import Movement, Watcher
from matte.clips.stabilising import steady
from matte.configs.settings import Config
from matte.errors import MatteError, SettingError
from matte.pipeline.line import NO_PRIOR, Line, Prior
from matte.pipeline.timing import Stopwatch
from matte.refiner.low_resolution import LowResolutionRefiner
from matte.runtime.memory import keep_freed_memory
from matte.stages import Segmentation


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A frame, how it came from the one before, and where its subject is, if that is asked."""

    image: Image
    movement: Movement
    confidence: Confidence | None


class FrameMatter:
    """Mattes the frames of one clip. `look`, `refine` and `steady` each see every frame, in order,
    and may be at three of them at once.

    `watch` adds up how long what took, `doubts` counts why another line took over.
    """

    def __init__(
        self,
        line: Line,
        config: Config,
        size: tuple[int, int],
        watch: Stopwatch | None = None,
    ) -> None:
        """`size` is that of the frames: height and width."""
        keep_freed_memory()
        settings = config.video
        refined_at = settings.refined_at(max(size))
        self.watch = watch or Stopwatch()
        self.doubts: Counter[str] = Counter()
        self._line = line
        if refined_at:
            self._line = line.with_refiner(
                lambda refiner: LowResolutionRefiner(refiner, refined_at)
            )
        self._watcher = Watcher()
        segmenter = line.segmenter
        steadies = settings.temporal != "off"
        every = settings.segment_every
        self._attention = Attention(segmenter, every, steadies) if segmenter else None
        self._steady = steady(settings.temporal)
        keeps = settings.keep_alpha
        self._kept = Kept(keeps, refined_at or 0) if keeps else None

    def look(self, image: Image) -> Looked:
        """Where the frame's subject is."""
        with self.watch("follow"):
            movement = self._watcher.next(image)
        if self._attention is None:
            return Looked(image, movement, None)
        with self.watch("segment"):
            try:
                confidence = self._attention.confidence(image, movement)
            except SettingError:
                raise
            except MatteError:  # the line meets it, too, and knows what else there is
                return Looked(image, movement, None)
        return Looked(image, movement, confidence)

    def refine(self, looked: Looked) -> Alpha:
        """The frame's alpha, of itself."""
        if self._kept is not None:
            self._kept.follow(looked.movement)
        prior = NO_PRIOR
        if looked.confidence is not None:
            segmentation = Segmentation(looked.confidence)
            prior = Prior(segmentation, previous=self._kept, from_segmenter=True)
        found = self._line.run(looked.image, prior)
        for name, ms in found.report["ms"].items():
            self.watch.add(name, ms)
        if fallback := found.report.get("fallback"):
            self.doubts[fallback["reason"]] += 1
        return found.alpha

    def steady(self, looked: Looked, alpha: Alpha) -> Alpha | None:
        """The alpha of the frame `delay` before this one, steadied; None where there was none."""
        with self.watch("steady"):
            return self._steady.next(looked.image, alpha, looked.movement)

    def last(self) -> Alpha | None:
        """After the last frame: the alpha that is still to come, if there is one."""
        return self._steady.last()
