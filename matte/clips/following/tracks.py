"""A subject that is tracked: where it is, how it moves, its shape and its colours."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from matte.arrays import BoolArray, FloatArray
from matte.clips.following.appearance import Appearance, ColourCodes, colour_histogram
from matte.clips.following.boxes import Box, Slices, box_of, paste, touches_side

SHAPE_SIZE = (32, 16)  # rows and columns of the remembered shape
SHAPE_LEARNING_RATE = 0.2
MIN_VISIBLE_SHARE = 0.2  # of a subject's usual area: with less it counts as hidden
MIN_WHOLE_SHARE = 0.7  # of the usual area: from there it is taken to be seen whole
MIN_MOVING_SHARE = 0.15  # of the usual area, which flow must follow to say how the subject moves
LEARNING_INTERVAL = 3  # frames
SEARCH_REACH = (2, 8)  # pixels, up and aside, by which a shape is looked for around its box
SEARCH_PENALTY = (0.01, 0.01)  # for each such pixel
SEARCH_GAIN = 0.5  # of the found step by which the box is moved
# Shares of its area, seen in the frame before, from which the box begins to move so, and wholly.
SEARCHED_SHARES = (0.3, 0.7)


@dataclass(slots=True, eq=False)
class SubjectTrack:
    """One subject, chosen or not, from frame to frame; its box is None after a cut."""

    appearance: Appearance
    area: float
    box: Box | None
    chosen: bool = False
    cut_off: bool = False
    """Whether it has only been seen at the frame's side, never whole."""
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    moved_frames: int = 0
    hidden_frames: int = 0
    apart_frames: int = 0
    """For how long it has been in several parts."""
    age: int = 0
    shape: FloatArray | None = None

    def move(
        self, region: BoolArray, flow: FloatArray, camera: FloatArray, sample_area: int = 1
    ) -> None:
        """Move the box along the optical flow of its pixels, or as it moved before.

        `region` (h, w) are the pixels that the flow follows, one of `sample_area` in each case;
        `camera` is the background's step.
        """
        if self.box is None:
            return
        step = self.velocity + camera
        pixels = sample_area * np.count_nonzero(region)
        if not self.hidden_frames and pixels > MIN_MOVING_SHARE * self.area:
            step = -np.median(flow[region], axis=0)
            rate = np.float32(0.2 if self.moved_frames else 1)
            self.velocity = self.velocity + rate * (step - camera - self.velocity)
            self.moved_frames += 1
        self.box = self.box + np.tile(step, 2)

    def restart(self, region: BoolArray) -> None:
        """Go on from a region in which the subject was found again."""
        self.box, self.hidden_frames, self.moved_frames = box_of(region), 0, 0
        self.velocity = np.zeros(2, np.float32)

    def update(self, region: BoolArray, codes: ColourCodes, learns: bool) -> None:
        """Take the region (h, w) in which the subject is seen in a frame.

        Its colours and its shape are learnt only if nobody touches it: then it `learns`.
        """
        self.age += 1
        area = int(np.count_nonzero(region))
        if area < max(12, MIN_VISIBLE_SHARE * self.area):
            self.hidden_frames += 1
            return
        self.hidden_frames = 0
        box = box_of(region)
        if self.box is None:
            self.box = box
        if not learns:
            return
        is_cut_off = touches_side(box, region.shape[1])
        if self.cut_off:
            self.cut_off = is_cut_off
            self.area = max(float(area), self.area if is_cut_off else 0.0)
            self.box, self.shape = box, None
            self.appearance = Appearance(colour_histogram(codes, region))
            self.learn_shape(region)
        elif area > MIN_WHOLE_SHARE * self.area and not is_cut_off:
            self.box = (self.box + box) / 2
            self.area += 0.1 * (area - self.area)
            if self.age % LEARNING_INTERVAL == 0:
                self.learn_shape(region)
                self.appearance.learn(colour_histogram(codes, region))

    def learn_shape(self, region: BoolArray) -> None:
        """Let a region count in the remembered shape: how often each part of the box is filled."""
        assert self.box is not None
        left, top, right, bottom = self.box.round().astype(int)
        whole = paste(
            region.astype(np.float32),
            np.array([-left, -top, 0, 0], np.float64),
            (slice(0, max(1, bottom - top)), slice(0, max(1, right - left))),
        )
        shape = cv2.resize(whole, SHAPE_SIZE[::-1], interpolation=cv2.INTER_AREA)
        if self.shape is not None:
            shape = self.shape + np.float32(SHAPE_LEARNING_RATE) * (shape - self.shape)
        self.shape = np.asarray(shape, np.float32)

    def place_shape(self, evidence: FloatArray, within: Slices, visible: float) -> FloatArray:
        """Return the shape as it lies in a part of a frame (h, w), 0 … 1, and move the box to it.

        It lies, near its box, where the `evidence` (h, w) for the subject is the strongest. The box
        goes there only if enough of it is `visible`, a share of the usual area: else what can still
        be seen would hold it back while the subject walks on behind somebody.
        """
        if self.box is None or self.shape is None:
            return np.full(evidence.shape, 0.5, np.float32)
        left, top, right, bottom = self.box
        size = max(3, round(right - left)), max(4, round(bottom - top))
        shape = cv2.resize(self.shape, size)
        up, aside = SEARCH_REACH
        x, y = round(left) - within[1].start - aside, round(top) - within[0].start - up
        corner = np.array([-x, -y, 0, 0], np.float64)
        window = slice(0, size[1] + 2 * up), slice(0, size[0] + 2 * aside)
        found: FloatArray = np.asarray(
            cv2.matchTemplate(paste(evidence, corner, window), shape, cv2.TM_CCORR), np.float32
        )
        found = found / np.float32(max(1.0, float(shape.sum())))
        rows, columns = np.mgrid[-up : up + 1, -aside : aside + 1]
        found -= SEARCH_PENALTY[0] * np.abs(rows) + SEARCH_PENALTY[1] * np.abs(columns)
        best = int(found.argmax())
        step = np.array([columns.flat[best], rows.flat[best]] * 2, np.float64)
        placed = paste(np.asarray(shape, np.float32), self.box + step, within)
        low, high = SEARCHED_SHARES
        trust = float(np.clip((visible - low) / (high - low), 0, 1))
        self.box = self.box + SEARCH_GAIN * trust * step
        return placed


def start_track(codes: ColourCodes, region: BoolArray, chosen: bool = False) -> SubjectTrack:
    """Return the track of a subject that is seen for the first time, in a region (h, w)."""
    box = box_of(region)
    track = SubjectTrack(
        Appearance(colour_histogram(codes, region)),
        float(np.count_nonzero(region)),
        box,
        chosen,
        touches_side(box, region.shape[1]),
    )
    track.learn_shape(region)
    return track
