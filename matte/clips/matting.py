"""The steps from a frame to its alpha: motion, confidence, refined alpha, stabilised alpha."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from matte.arrays import Alpha, Confidence, FloatArray, Image
from matte.clips.alpha_reuse import AlphaHistory
from matte.clips.despeckling import Despeckler, despeckling_delay
from matte.clips.following.follower import Followed, SubjectFollower
from matte.clips.mask_reuse import SparseSegmenter
from matte.clips.motion import Motion, MotionTracker
from matte.clips.stabilising import make_stabiliser
from matte.configs.settings import Config, VideoSettings
from matte.errors import MatteError, SettingError
from matte.imaging.resizing import resize
from matte.pipeline.line import Line, LineResult, Prior
from matte.pipeline.timing import Stopwatch
from matte.refiner.low_resolution import LowResolutionRefiner
from matte.runtime.memory import keep_freed_memory
from matte.stages import Segmentation

NO_MASK = "a run with a MODNet makes no mask, so --subject means nothing"


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedFrame:
    """A frame, its motion since the one before, and its confidence; None if the line segments.

    `followed` is where the chosen subjects are, whose confidence it is then; None: all are kept.
    """

    image: Image
    motion: Motion
    confidence: Confidence | None
    followed: Followed | None = None

    @property
    def planes(self) -> None:
        """None: the frame is on no device."""


class Matter(Protocol):
    """Mattes the frames of one clip, on the processor or on a GPU.

    Each frame goes through the three steps, each of which sees every frame, in order; they may work
    on different frames at once, in threads of their own. Alphas are the matter's own kind.
    """

    @property
    def batch(self) -> int:
        """How many frames `segment_all` takes at once."""
        ...

    @property
    def doubts(self) -> Counter[str]:
        """In how many frames another line took over, by its reason."""
        ...

    def segment_all(self, images: Sequence[Image], times: Sequence[float]) -> Sequence[Any]:
        """Return frames with their motion and confidence; `times` are theirs, in seconds."""
        ...

    def refine(self, frame: Any) -> Any:
        """Return a frame's alpha, not yet stabilised."""
        ...

    def stabilise(self, frame: Any, alpha: Any) -> Any:
        """Take a frame's alpha, and return the next stabilised one; None where none is ready."""
        ...

    def pending_alpha(self) -> Any:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        ...


class FrameMatter:
    """Mattes the frames of one clip by a line, and remembers what the next frames need.

    Each frame goes through `segment`, `refine` and `stabilise`. Each of the three sees every
    frame, in order; they may work on three different frames at once, in threads of their own.
    `watch` adds up the milliseconds of each step. `doubts` counts in how many frames another line
    took over, by its reason.
    """

    def __init__(
        self,
        line: Line,
        config: Config,
        size: tuple[int, int],
        watch: Stopwatch | None = None,
        follower: SubjectFollower | None = None,
        *,
        live: bool = False,
    ) -> None:
        """Start a clip whose frames have this `size`, height and width.

        The `follower` finds the chosen subjects; None: all are kept. `live`: no alpha waits for
        later frames to be despeckled.
        """
        if follower is not None and line.segmenter is None:
            raise SettingError(NO_MASK, "leave it out")
        keep_freed_memory()
        video = config.video
        refined_long_side = video.refined_long_side(max(size))
        self.watch = watch or Stopwatch()
        self.doubts: Counter[str] = Counter()
        self._line = line
        if refined_long_side:
            self._line = line.with_refiner(
                lambda refiner: LowResolutionRefiner(refiner, refined_long_side)
            )
        self._tracker = MotionTracker()
        averages = video.temporal != "off"
        self._segmenter: SparseSegmenter | None = None
        if line.segmenter is not None:
            self._segmenter = SparseSegmenter(line.segmenter, video.segment_every, averages)
        self._history = (
            AlphaHistory(video.keep_alpha, refined_long_side) if video.keep_alpha else None
        )
        self._stabiliser = make_stabiliser(video.temporal, _despeckler(video, size, live))
        self._follower = follower

    batch = 1

    def segment_all(self, images: Sequence[Image], times: Sequence[float]) -> list[SegmentedFrame]:
        """Return the frames with their motion and confidence; `times` are theirs, in seconds."""
        return [self.segment(*each) for each in zip(images, times, strict=True)]

    def segment(self, image: Image, seconds: float = 0.0) -> SegmentedFrame:
        """Return the frame with its motion and confidence: how surely a pixel is the subject's.

        `seconds` is its time in the clip, by which later choices of subjects count.
        """
        with self.watch("follow"):
            motion = self._tracker.track(image)
        if self._segmenter is None:
            return SegmentedFrame(image, motion, None)
        with self.watch("segment"):
            try:
                confidence = self._segmenter.confidence(image, motion)
            except SettingError:
                raise
            except MatteError:  # the line meets it, too, and has a fallback
                if self._follower is not None:  # which would keep everybody
                    raise
                return SegmentedFrame(image, motion, None)
        if self._follower is None:
            return SegmentedFrame(image, motion, confidence)
        with self.watch("choose"):
            followed = self._follower.follow(motion, confidence, seconds)
            confidence = Confidence(_limit(confidence, followed))
        return SegmentedFrame(image, motion, confidence, followed)

    def refine(self, frame: SegmentedFrame) -> Alpha:
        """Return the frame's alpha, by the line's trimap and refiner, not yet stabilised."""
        if self._history is not None:
            self._history.start_frame(frame.motion)
        prior = Prior(is_frame=True)
        if frame.confidence is not None:
            segmentation = Segmentation(frame.confidence)
            chosen = frame.followed is not None and frame.followed.share is not None
            prior = Prior(
                segmentation,
                previous=self._history,
                is_frame=True,
                from_segmenter=True,
                is_chosen=chosen,
            )
        found = self._line.run(frame.image, prior)
        fell_back = count_line_work(found, self.watch, self.doubts)
        if fell_back and frame.followed is not None:  # the other line keeps everybody
            return Alpha(_limit(found.alpha, frame.followed))
        return found.alpha

    def stabilise(self, frame: SegmentedFrame, alpha: Alpha) -> Alpha | None:
        """Take the frame's alpha, and return the next stabilised one: this frame's or an earlier's.

        None where none is ready yet.
        """
        with self.watch("steady"):
            return self._stabiliser.stabilise(alpha, frame.motion)

    def pending_alpha(self) -> Alpha | None:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        return self._stabiliser.pending_alpha()


def _despeckler(video: VideoSettings, size: tuple[int, int], live: bool) -> Despeckler | None:
    """Return what takes flecks out of a clip's alphas; None where they stay.

    What one look for the subject found lasts until the next.
    """
    if video.despeckle is None:
        return None
    max_frames = video.despeckle * video.segment_every
    return Despeckler(max_frames, 0 if live else despeckling_delay(max_frames, size))


def count_line_work(found: LineResult, watch: Stopwatch, doubts: Counter[str]) -> bool:
    """Add up a line's milliseconds, and why another line took over; return whether one did."""
    for name, ms in found.report["ms"].items():
        watch.add(name, ms)
    fallback = found.report.get("fallback")
    if fallback:
        doubts[fallback["reason"]] += 1
    return bool(fallback)


def _limit(values: FloatArray, followed: Followed) -> FloatArray:
    """Return confidence or alpha (H, W), no higher than the chosen subjects' share."""
    if followed.share is None:
        return values
    height, width = values.shape
    return np.asarray(np.minimum(values, resize(followed.share, height, width)))
