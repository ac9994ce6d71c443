"""The steps from a frame to its alpha on a GPU: what `matte.clips.matting` does, by `matte.gpu`.

Frames are uploaded once, in batches, and alphas stay on the device. The motion is found on the
processor, which also decides, from small copies, what is segmented and refined again. A frame that
is doubted is matted by the processor's line, with its fallback.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from matte.arrays import Confidence, Image
from matte.clips.device_steps import (
    DeviceAlphaHistory,
    DeviceMotion,
    DeviceSparseSegmenter,
    make_device_stabiliser,
)
from matte.clips.matting import count_line_work
from matte.clips.motion import MotionTracker
from matte.configs.settings import Config
from matte.errors import MatteError, MatteWarning, NamedNetworkError, SettingError
from matte.gpu.choice import DevicePlan
from matte.gpu.frame_line import frame_line
from matte.gpu.pictures import DevicePicture
from matte.gpu.transfer import (
    Planes,
    device_work,
    download_plane,
    single_frames,
    upload_frames,
    upload_plane,
)
from matte.pipeline.line import Line, Prior
from matte.pipeline.timing import Stopwatch
from matte.stages import Segmentation


@dataclass(frozen=True, slots=True, eq=False)
class DeviceFrame:
    """A frame on the device, its motion, and its confidence; None if the line has to segment."""

    picture: DevicePicture
    motion: DeviceMotion
    confidence: Planes | None

    @property
    def followed(self) -> None:
        """None: all subjects are kept."""

    @property
    def planes(self) -> Planes:
        """The frame (1, 3, H, W) on the device."""
        return self.picture.planes


class DeviceFrameMatter:
    """Mattes the frames of one clip on a device, and remembers what the next frames need.

    The steps are those of `FrameMatter`: each sees every frame, in order.
    """

    def __init__(
        self,
        line: Line,
        config: Config,
        size: tuple[int, int],
        watch: Stopwatch | None = None,
        *,
        plan: DevicePlan,
    ) -> None:
        """Start a clip whose frames have this `size`; `plan` says where, and how many at once."""
        video = config.video
        refined_long_side = video.refined_long_side(max(size))
        self.watch = watch or Stopwatch()
        self.doubts: Counter[str] = Counter()
        self.batch, self._device = plan.batch, plan.device
        self._processor_line = line
        self._line = frame_line(line, config, refined_long_side, plan.memory)
        self._tracker = MotionTracker()
        self._segmenter = DeviceSparseSegmenter(
            self._line.segmenter, video.segment_every, video.temporal != "off"
        )
        self._history = (
            DeviceAlphaHistory(video.keep_alpha, refined_long_side) if video.keep_alpha else None
        )
        self._stabiliser = make_device_stabiliser(video.temporal)

    def segment_all(self, images: Sequence[Image], times: Sequence[float]) -> list[DeviceFrame]:
        """Return frames, uploaded together, each with its motion and confidence.

        Their `times` don't matter: subjects are followed on the processor alone.
        """
        with device_work(self._device):
            with self.watch("upload"):
                planes = upload_frames(images, self._device)
            with self.watch("segment"):
                try:
                    found = self._segmenter.segment_all(planes)
                except SettingError:
                    raise
                except MatteError:  # the line meets it, too, and has a fallback
                    found = [None] * len(images)
            pictures = map(DevicePicture, single_frames(planes), images)
            return [self._segment(*each) for each in zip(pictures, found, strict=True)]

    def _segment(self, picture: DevicePicture, found: Planes | None) -> DeviceFrame:
        """Return one frame with its motion and confidence."""
        with self.watch("follow"):
            motion = DeviceMotion(self._tracker.track(picture.array), picture)
        with self.watch("segment"):
            try:
                confidence = self._segmenter.confidence(picture, motion, found)
            except SettingError:
                raise
            except MatteError:  # as above
                return DeviceFrame(picture, motion, None)
        return DeviceFrame(picture, motion, confidence)

    def refine(self, frame: DeviceFrame) -> Planes:
        """Return the frame's alpha (1, 1, H, W), not yet stabilised."""
        with device_work(self._device):
            if self._history is not None:
                self._history.start_frame(frame.motion)
            if frame.confidence is None:
                return self._matte_on_processor(frame)
            with self.watch("trimap"):
                drawn = self._line.draw(frame.confidence)
            if drawn.doubt:
                return self._matte_on_processor(frame)
            with self.watch("refine"):
                try:
                    return self._line.refine(
                        frame.picture, frame.confidence, drawn, self._history
                    ).alpha
                except (SettingError, NamedNetworkError):
                    raise
                except MatteError as error:
                    text = f"{error.cause}: the processor's line takes such frames"
                    warnings.warn(text, MatteWarning, stacklevel=3)
            return self._matte_on_processor(frame)

    def stabilise(self, frame: DeviceFrame, alpha: Planes) -> Planes | None:
        """Take the frame's alpha, and return the next stabilised one; None where none is ready."""
        with device_work(self._device), self.watch("steady"):
            return self._stabiliser.stabilise(alpha, frame.motion)

    def pending_alpha(self) -> Planes | None:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        return self._stabiliser.pending_alpha()

    def _matte_on_processor(self, frame: DeviceFrame) -> Planes:
        """Return the alpha that the processor's line finds, and count why MODNet did, if it did."""
        prior = Prior(is_frame=True)
        if frame.confidence is not None:
            confidence = Confidence(download_plane(frame.confidence))
            prior = Prior(Segmentation(confidence), is_frame=True, from_segmenter=True)
        found = self._processor_line.run(frame.picture.array, prior)
        count_line_work(found, self.watch, self.doubts)
        return upload_plane(found.alpha, self._device)
