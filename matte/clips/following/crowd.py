"""Everybody who is tracked in a clip, and who of them is chosen."""

from collections.abc import Mapping

import cv2
import numpy as np

from matte.arrays import BoolArray
from matte.clips.following.appearance import ColourCodes
from matte.clips.following.choices import TimedChoice
from matte.clips.following.contest import Labels
from matte.clips.following.tracks import SubjectTrack, start_track
from matte.segmentation.subjects import (
    MAX_DISTANCE_SHARE,
    MIN_OVERLAP_SHARE,
    SubjectChoice,
    box_with_margin,
    overlapping_subjects,
)

MAX_TRACKS = 8  # numbers 1 … 8; more people than that are not told apart
MAX_HIDDEN_FRAMES = 75  # after which somebody who is not chosen is forgotten
MIN_AGE_FRAMES = 6  # who is hidden earlier was an error of the segmenter
# A mask or a box means a part of what is connected where the rest of that, farther away than a
# margin, is at least so large, in relation to the part.
MIN_REST_SHARE, MASK_MARGIN_SHARE = 0.25, 0.02


class Crowd:
    """The tracks of a clip by their numbers, and the labels (h, w) of the last frame."""

    def __init__(self) -> None:
        self.tracks: dict[int, SubjectTrack] = {}
        self.labels: Labels = np.zeros((0, 0), np.uint8)

    @property
    def chosen(self) -> dict[int, SubjectTrack]:
        """The chosen tracks."""
        return {number: track for number, track in self.tracks.items() if track.chosen}

    @property
    def out_of_sight(self) -> dict[int, SubjectTrack]:
        """The tracks that are hidden."""
        return {number: track for number, track in self.tracks.items() if track.hidden_frames}

    @property
    def is_chosen_hidden(self) -> bool:
        """Whether any of the chosen is out of sight."""
        return any(track.hidden_frames for track in self.chosen.values())

    def add(self, codes: ColourCodes, region: BoolArray, labels: Labels) -> int:
        """Track somebody new, who is in a region (h, w); the number is written into the labels.

        Where there are as many as can be told apart, whoever was hidden for longest is forgotten;
        0 if nobody was.
        """
        number = next((n for n in range(1, MAX_TRACKS + 1) if n not in self.tracks), 0)
        if not number:
            hidden = {n: track for n, track in self.out_of_sight.items() if not track.chosen}
            number = max(hidden, key=lambda n: hidden[n].hidden_frames, default=0)
        if number:
            self.tracks[number] = start_track(codes, region)
        labels[region] = number
        return number

    def forget_strangers(self) -> None:
        """Forget who is not chosen and was not seen for long, or only for a moment."""
        for number, track in self.out_of_sight.items():
            brief = track.age < MIN_AGE_FRAMES
            if not track.chosen and (brief or track.hidden_frames > MAX_HIDDEN_FRAMES):
                del self.tracks[number]
                self.labels[self.labels == number] = 0

    def choose(self, choice: TimedChoice, codes: ColourCodes) -> bool:
        """Choose among those in sight; False, and nobody is chosen any more, if none is meant."""
        meant = self._meant_tracks(choice, codes)
        for number, track in self.tracks.items():
            track.chosen = number in meant
        return bool(meant)

    def _meant_tracks(self, choice: TimedChoice, codes: ColourCodes) -> set[int]:
        """Return the numbers of the tracks in sight that a choice means."""
        if choice.choice is None:
            return set(self.tracks)
        areas = {n: int(np.count_nonzero(self.labels == n)) for n in self.tracks}
        in_sight = {number: area for number, area in areas.items() if area}
        kind = choice.choice.kind
        if kind == "largest":
            ordered = sorted(in_sight, key=lambda number: -in_sight[number])
            return set(ordered[: choice.choice.count])
        if kind in ("at", "centre"):
            return self._nearest(choice.choice, in_sight)
        if kind == "box":
            boxed = np.zeros(self.labels.shape, np.bool_)
            boxed[box_with_margin(choice.choice.numbers, boxed.shape)] = True
            return self._split_by(boxed, in_sight, codes)
        assert choice.region is not None, "masks are read with their choices"
        height, width = self.labels.shape
        region = cv2.resize(choice.region.astype(np.float32), (width, height)) >= 0.5
        if not choice.is_stroke:
            return self._split_by(np.asarray(region), in_sight, codes)
        if not in_sight:
            return set()
        numbers, sizes = np.array(list(in_sight)), np.array(list(in_sight.values()))
        return set(overlapping_subjects(self.labels, numbers, sizes, np.asarray(region)).tolist())

    def _nearest(self, choice: SubjectChoice, in_sight: Mapping[int, int]) -> set[int]:
        """Return the number of who is nearest to a place, if anybody is near enough."""
        height, width = self.labels.shape
        x, y = width / 2, height / 2
        if choice.kind == "at":
            x, y = (n.pixels(side) for n, side in zip(choice.numbers, (width, height), strict=True))
        away = {}
        for number in in_sight:
            rows, columns = np.nonzero(self.labels == number)
            away[number] = float(np.hypot(columns + 0.5 - x, rows + 0.5 - y).min())
        best = min(away, key=away.__getitem__, default=0)
        limit = MAX_DISTANCE_SHARE * max(height, width) if choice.kind == "at" else np.inf
        return {best} if best and away[best] <= limit else set()

    def _split_by(
        self, region: BoolArray, in_sight: Mapping[int, int], codes: ColourCodes
    ) -> set[int]:
        """Return who is in a region; whom it covers in part only is split there into two."""
        margin = 2 * round(MASK_MARGIN_SHARE * max(region.shape)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
        wide = cv2.dilate(region.astype(np.uint8), kernel).view(np.bool_)
        meant = set()
        for number, area in in_sight.items():
            whole = self.labels == number
            inside = whole & region
            pixels = int(np.count_nonzero(inside))
            if pixels < max(1, MIN_OVERLAP_SHARE * min(area, int(np.count_nonzero(region)))):
                continue
            if np.count_nonzero(whole & ~wide) < MIN_REST_SHARE * pixels:
                meant.add(number)
            elif new := self.add(codes, np.asarray(inside), self.labels):
                self.tracks[number] = start_track(codes, np.asarray(whole & ~inside))
                meant.add(new)
        return meant
