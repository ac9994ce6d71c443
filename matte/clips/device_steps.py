"""What a clip's steps remember of the frames before, where alphas stay on a GPU.

The counterparts of `mask_reuse`, `alpha_reuse` and `stabilising`: decisions and small copies are
theirs, on the processor; whole frames are worked on by `matte.gpu`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from matte.arrays import BoolArray, FloatArray
from matte.clips.alpha_reuse import COMPARED_STEP, MIN_AGREEMENT, RENEWAL_WEIGHT, alpha_flow
from matte.clips.mask_reuse import can_follow
from matte.clips.motion import Motion
from matte.clips.stabilising import (
    MAX_ALPHA_DIFFERENCE,
    MIN_ALPHA_CHANGE,
    NoStabiliser,
    TemporalMode,
    alpha_edge,
)
from matte.clips.stale_boxes import CELL_SIDE_PIXELS, CellCounts, StaleBoxes
from matte.clips.subject_flow import subject_flow
from matte.gpu.alpha_reuse import Comparison, enlarge_cells, renew, warp_and_compare
from matte.gpu.pictures import DevicePicture, DeviceReusableAlpha, DeviceTrimap
from matte.gpu.planes import resize
from matte.gpu.segmenter import DeviceSegmenter
from matte.gpu.stabilising import average_along_motion, blend_confidence, neighbour_mean
from matte.gpu.transfer import Planes, download_plane, single_frames, upload_plane
from matte.gpu.warping import local_mean_colours, warp
from matte.imaging.flow import Flow

COMPARISON = Comparison(COMPARED_STEP, CELL_SIDE_PIXELS, MIN_AGREEMENT)


class DeviceMotion:
    """A frame's motion, and its local mean colours on the device."""

    def __init__(self, motion: Motion, picture: DevicePicture) -> None:
        self.on_processor = motion
        self._picture: DevicePicture | None = picture
        self._device = picture.planes.device
        self._colours: Planes | None = None

    @property
    def starts_scene(self) -> bool:
        """Whether nothing goes on from the frame before."""
        return self.on_processor.starts_scene

    @property
    def flow(self) -> Planes:
        """The optical flow (1, 2, h, w)."""
        return self.upload(self.on_processor.flow)

    def upload(self, values: FloatArray | BoolArray | Flow) -> Planes:
        """Return what the processor found, (h, w) or (h, w, C), as planes."""
        return upload_plane(values, self._device)

    def local_means(self) -> Planes:
        """Return the frame's local mean colours (1, 3, H, W)."""
        if self._colours is None:
            assert self._picture is not None
            self._colours, self._picture = local_mean_colours(self._picture.planes), None
        return self._colours


class DeviceSparseSegmenter:
    """Segments at least every n-th frame of a clip, and each that flow can't follow."""

    def __init__(self, segmenter: DeviceSegmenter, segment_every: int, averages: bool) -> None:
        """`averages`: whether confidence is averaged over frames along the motion."""
        self._segmenter, self._segment_every = segmenter, segment_every
        self._averages = averages
        self._unsegmented = 0  # frames since one was segmented
        self._previous: Planes | None = None

    def segment_all(self, pictures: Planes) -> list[Planes | None]:
        """Return the confidence of each of some frames that are segmented anyway, else None."""
        if self._segment_every > 1:
            return [None] * len(pictures)
        return list(single_frames(self._segmenter.segment(pictures)))

    def confidence(
        self, picture: DevicePicture, motion: DeviceMotion, found: Planes | None = None
    ) -> Planes:
        """Return how surely each pixel of a frame belongs to the subject, (1, 1, H, W).

        `found` is the network's answer, where there is one already.
        """
        self._unsegmented += 1
        warped = self._warped(motion) if self._unsegmented < self._segment_every else None
        if warped is not None and can_follow(download_plane(warped), motion.on_processor):
            self._previous = confidence = warped
        else:
            self._unsegmented = 0
            # As coarse as warped ones where there are any, or edges would jump to and fro.
            size = motion.on_processor.shape if self._segment_every > 1 else None
            if found is None:
                found = self._segmenter.segment(picture.planes, size)
            confidence = self._blend(found, motion)
        return resize(confidence, *picture.planes.shape[2:])

    def _warped(self, motion: DeviceMotion) -> Planes | None:
        """Return the average, warped to this frame; None where that starts a scene."""
        if self._previous is None or motion.starts_scene:
            return None
        return warp(self._previous, motion.flow)

    def _blend(self, confidence: Planes, motion: DeviceMotion) -> Planes:
        """Return the confidence, blended with the average of the frames before."""
        previous = None if motion.starts_scene else self._previous
        if previous is None or not self._averages:
            self._previous = resize(confidence, *motion.on_processor.shape)
            return confidence
        weight = motion.on_processor.history_weight * motion.on_processor.agreement
        blended, self._previous = blend_confidence(
            confidence, previous, motion.flow, motion.upload(weight)
        )
        return blended


@dataclass(slots=True, eq=False)
class _DeviceRefinedFrame:
    """A frame's alpha, once it is refined; its colours; what its cells count; what was renewed."""

    mean_colours: Planes
    counts: CellCounts
    alpha: Planes | None = None
    past: Planes | None = None
    renewed: Planes | None = None


class DeviceAlphaHistory:
    """The refined alpha of a clip's previous frame, warped to the next one as far as it holds."""

    def __init__(self, max_age: int, refined_long_side: int | None = None) -> None:
        """Start a clip; the refiner sees copies of that long side, or whole frames if None."""
        self._boxes = StaleBoxes(max_age, refined_long_side)
        self._motion: DeviceMotion | None = None
        self._previous: _DeviceRefinedFrame | None = None
        self._current: _DeviceRefinedFrame | None = None

    def start_frame(self, motion: DeviceMotion) -> None:
        """Begin the next frame: to be called first, for each frame of the clip."""
        self._motion = motion
        refined = self._current is not None and self._current.alpha is not None
        self._previous, self._current = self._current if refined else None, None

    def warped_alpha(
        self, picture: DevicePicture, trimap: DeviceTrimap
    ) -> DeviceReusableAlpha | None:
        """Return the previous frame's alpha, warped to this one, and where it is stale.

        None where a scene starts, or the previous frame was not refined.
        """
        assert self._motion is not None  # start_frame() comes first
        motion, previous = self._motion, self._previous
        colours, counts = motion.local_means(), CellCounts.start(*trimap.shape)
        current = self._current = _DeviceRefinedFrame(colours, counts)
        if motion.starts_scene or previous is None or previous.alpha is None:
            return None
        if tuple(previous.alpha.shape[2:]) != trimap.shape:
            return None
        small = warp(resize(previous.alpha, *motion.on_processor.shape), motion.flow)
        flow = alpha_flow(motion.on_processor, download_plane(small), trimap.shape[1])
        alpha, changes = warp_and_compare(
            previous.alpha,
            (colours, previous.mean_colours),
            motion.upload(flow),
            trimap,
            COMPARISON,
        )
        current.counts = previous.counts.next_frame(changes)
        stale = motion.upload(self._boxes.mark(current.counts, trimap.array))
        unchanged = motion.upload(current.counts.unchanged)
        current.past = alpha
        current.renewed = stale & enlarge_cells(unchanged, CELL_SIDE_PIXELS, *trimap.shape)
        return DeviceReusableAlpha(alpha, stale)

    def update(self, alpha: Planes) -> Planes:
        """Remember and return the refined alpha of the frame of the last warped_alpha()."""
        current = self._current
        if current is not None:
            if current.past is not None and current.renewed is not None:
                alpha = renew(alpha, current.past, current.renewed, float(RENEWAL_WEIGHT))
                current.past = current.renewed = None
            current.alpha = alpha
        return alpha


class DeviceStabiliser(Protocol):
    """Stabilises the alphas of a clip, as `matte.clips.stabilising.Stabiliser` does."""

    def stabilise(self, alpha: Planes, motion: DeviceMotion) -> Planes | None:
        """Take a frame's alpha, and return the next one that is ready; None if none is yet."""
        ...

    def pending_alpha(self) -> Planes | None:
        """Return, after the last frame, the next alpha that is still to come, if there is one."""
        ...


class _AverageStabiliser:
    """Makes alpha an exponential moving average along the motion, where it is soft or changes."""

    def __init__(self) -> None:
        self._alpha: Planes | None = None
        self._colours: Planes | None = None

    def stabilise(self, alpha: Planes, motion: DeviceMotion) -> Planes:
        """Return the frame's alpha, stabilised."""
        previous, previous_colours = self._alpha, self._colours
        colours = self._colours = motion.local_means()
        self._alpha = alpha
        if motion.starts_scene or previous is None or previous_colours is None:
            return alpha
        if previous.shape != alpha.shape:
            return alpha
        moved = motion.on_processor
        small = download_plane(resize(alpha, *moved.shape))
        flow = subject_flow(moved, small, moved.history_weight)
        self._alpha = average_along_motion(
            (previous, alpha),
            (previous_colours, colours),
            motion.upload(flow),
            motion.upload(alpha_edge(small)),
            MIN_ALPHA_CHANGE,
        )
        return self._alpha

    def pending_alpha(self) -> None:
        """Return None: no alpha comes late."""


class _NeighbourStabiliser:
    """Takes the mean of the alphas before and after a frame where these agree, one frame late."""

    def __init__(self) -> None:
        self._frames: list[tuple[Planes, DeviceMotion, Planes]] = []

    def stabilise(self, alpha: Planes, motion: DeviceMotion) -> Planes | None:
        """Return the stabilised alpha of the frame before this one; None at the first frame."""
        self._frames = [*self._frames[-2:], (alpha, motion, motion.local_means())]
        if len(self._frames) < 3:
            return self._frames[0][0] if len(self._frames) == 2 else None
        alphas, motions, colours = zip(*self._frames, strict=True)
        same_size = alphas[0].shape == alphas[1].shape == alphas[2].shape
        if motions[1].starts_scene or motion.starts_scene or not same_size:
            return self._frames[1][0]
        agreement = np.minimum(motions[1].on_processor.agreement, motion.on_processor.agreement)
        return neighbour_mean(alphas, colours, motion.upload(agreement), MAX_ALPHA_DIFFERENCE)

    def pending_alpha(self) -> Planes | None:
        """Return the last frame's alpha, once."""
        last, self._frames = self._frames[-1:], []
        return last[0][0] if last else None


def make_device_stabiliser(mode: TemporalMode) -> DeviceStabiliser:
    """Return a new stabiliser for one clip, by the word of `--temporal`."""
    if mode == "flow":
        return _AverageStabiliser()
    return _NeighbourStabiliser() if mode == "ofd" else NoStabiliser()
