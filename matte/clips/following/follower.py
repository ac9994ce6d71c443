"""Follows the chosen subjects of a clip from frame to frame, among others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, Confidence, FloatArray
from matte.clips.following.appearance import ColourCodes, colour_codes, colour_histogram, likeness
from matte.clips.following.arrivals import MIN_PART_SHARE, join_neighbour, place_arrivals
from matte.clips.following.choices import TimedChoice
from matte.clips.following.contest import ContestFrame, owners_of_region
from matte.clips.following.crowd import MAX_TRACKS, Crowd
from matte.clips.following.parts import (
    Part,
    connected_parts,
    sole_owner,
    tracks_in_part,
    verified_parts,
)
from matte.clips.following.strangers import part_groups, recognise_hidden
from matte.clips.motion import Motion
from matte.imaging.flow import warp_labels
from matte.imaging.resizing import resize

MIN_PERSON_CONFIDENCE = 0.4
MIN_FOLLOWED_AGREEMENT = 0.5  # of the frames, where flow says how somebody moves
SAMPLING_STEP = 2  # of rows and columns, of which flow's median is taken
LIKENESS_INTERVAL = 3  # frames between two comparisons with the memory
VERIFYING_FRAMES = 20  # after subjects have met, in which looks decide who is who
SURENESS_LIKENESS = (0.5, 0.9)  # from not sure at all to quite sure
EDGE_WINDOW = 5  # pixels, over which the border to others is softened


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Where the chosen subjects are in a frame, and how surely it is they.

    `share` (h, w), 0 … 1, is what of the confidence is theirs; None: all of it, also because
    nobody else is in sight. `sureness` is
    0 … 1, and 0 while they are out of sight.
    """

    share: FloatArray | None
    sureness: float = 1.0
    seen: bool = True
    waiting: bool = False
    """Whether a choice has not found anybody yet."""


class SubjectFollower:
    """Follows the chosen subjects of one clip; gets every frame, in order."""

    def __init__(self, choices: Sequence[TimedChoice]) -> None:
        """Prepare to follow whom each choice means, from its time on; the earliest comes first."""
        self._choices = list(choices)
        self._due: TimedChoice | None = None
        self._everybody = True
        self._crowd: Crowd | None = None
        self._verified_frames = VERIFYING_FRAMES
        self._probability = self._likeness_before = 1.0
        self._frames = 0

    def choose(self, choice: TimedChoice) -> None:
        """Follow whom a choice means from the next frame on, whatever its time."""
        self._due = choice

    def follow(self, motion: Motion, confidence: Confidence, seconds: float) -> Followed:
        """Return what is the chosen subjects' of a frame's confidence."""
        while self._choices and self._choices[0].seconds <= seconds:
            self._due = self._choices.pop(0)
        codes = colour_codes(motion.copy)
        person = np.asarray(resize(confidence, *motion.shape) >= MIN_PERSON_CONFIDENCE)
        if self._crowd is None or self._crowd.labels.shape != motion.shape:
            self._crowd = _first_crowd(codes, person)
        else:
            self._track(self._crowd, codes, person, motion)
        if self._due is not None and self._crowd.choose(self._due, codes):
            self._everybody, self._due = self._due.choice is None, None
        return self._followed(self._crowd, codes, person)

    def _track(self, crowd: Crowd, codes: ColourCodes, person: BoolArray, motion: Motion) -> None:
        """Find everybody again in the next frame."""
        warped = np.zeros_like(crowd.labels)
        if motion.starts_scene:
            self._verified_frames = 0
            for track in crowd.tracks.values():
                track.box, track.hidden_frames = None, max(1, track.hidden_frames)
        else:
            warped = warp_labels(crowd.labels, motion.flow)
            _move_tracks(crowd, warped, person, motion)
        frame = ContestFrame(codes, warped, motion.agreement, person)
        sizes = np.bincount(warped.ravel(), minlength=MAX_TRACKS + 1)
        labels = np.zeros_like(warped)
        fresh: list[Part] = []
        alone: dict[Part, int] = {}
        meeting: set[int] = set()
        self._probability = 1.0
        parts = list(connected_parts(person, codes))
        for part in parts:
            present, hidden = tracks_in_part(part, warped, crowd.tracks, sizes)
            owner = 0
            if not present:
                fresh.append(part)
                continue
            if len(present) + len(hidden) > 1:
                self._verified_frames = 0
                owner = sole_owner(part, {**present, **hidden})
            elif len(present) == 1:
                owner = next(iter(present))
            if owner:
                labels[part.region], alone[part] = owner, owner
                continue
            region = part.region[part.within]
            owners = owners_of_region(frame, part.within, region, present, hidden)
            labels[part.within][region] = owners.labels[region]
            meeting |= present.keys()
            own = region & _is_labelled(owners.labels, crowd.chosen)
            if own.any():
                self._probability = min(self._probability, float(owners.probability[own].mean()))
        place_arrivals(crowd, frame, fresh, labels)
        part_groups(crowd, codes, parts, alone, labels)
        if crowd.is_chosen_hidden:
            recognise_hidden(crowd, codes, alone, labels)
        if self._verified_frames < VERIFYING_FRAMES and len(crowd.tracks) > 1:
            _verify(crowd, codes, alone, meeting, labels)
        self._verified_frames += 1
        crowd.labels = labels
        for number, track in crowd.tracks.items():
            track.update(labels == number, codes, learns=number not in meeting)
        crowd.forget_strangers()

    def _followed(self, crowd: Crowd, codes: ColourCodes, person: BoolArray) -> Followed:
        """Return where the chosen ones are, by the labels."""
        waiting = self._due is not None
        if self._everybody and not waiting:
            return Followed(None)
        chosen = {n: track for n, track in crowd.chosen.items() if not track.hidden_frames}
        own = _is_labelled(crowd.labels, crowd.chosen)
        if not chosen or not own.any():
            share = np.zeros(own.shape, np.float32)
            return Followed(share, 0.0, seen=False, waiting=waiting)
        sureness = self._probability * self._likeness(crowd, codes)
        if not (person & ~own).any():
            return Followed(None, sureness, waiting=waiting)
        return Followed(_soft_share(own, crowd.labels > 0), sureness, waiting=waiting)

    def _likeness(self, crowd: Crowd, codes: ColourCodes) -> float:
        """Return how much the chosen ones look as they are remembered; now and then measured."""
        self._frames += 1
        if self._frames % LIKENESS_INTERVAL != 1:
            return self._likeness_before
        found = []
        for number, track in crowd.chosen.items():
            region = crowd.labels == number
            if region.any():
                found.append(likeness(colour_histogram(codes, region), track.appearance.histogram))
        low, high = SURENESS_LIKENESS
        self._likeness_before = float(np.clip((min(found) - low) / (high - low), 0, 1))
        return self._likeness_before


def _first_crowd(codes: ColourCodes, person: BoolArray) -> Crowd:
    """Return everybody in the first frame: the connected parts that are large enough."""
    crowd = Crowd()
    crowd.labels = np.zeros(person.shape, np.uint8)
    parts = sorted(connected_parts(person, codes), key=lambda part: -part.area)
    for part in parts:
        if part.area >= MIN_PART_SHARE * person.size:
            crowd.add(codes, part.region, crowd.labels)
        else:
            join_neighbour(crowd, part, crowd.labels)
    return crowd


def _move_tracks(
    crowd: Crowd, warped: NDArray[np.uint8], person: BoolArray, motion: Motion
) -> None:
    """Move everybody's box along the flow, or on as before, with the camera."""
    step = slice(None, None, SAMPLING_STEP)
    flow, sure = motion.flow[step, step], motion.agreement[step, step] > MIN_FOLLOWED_AGREEMENT
    ground = sure & ~person[step, step]
    camera = np.zeros(2, np.float32)
    if ground.any():
        camera = -np.median(flow[ground], axis=0)
    before = warped[step, step]
    for number, track in crowd.tracks.items():
        track.move(sure & (before == number), flow, camera, SAMPLING_STEP**2)


def _verify(
    crowd: Crowd,
    codes: ColourCodes,
    alone: dict[Part, int],
    meeting: set[int],
    labels: NDArray[np.uint8],
) -> None:
    """Give parts that are one subject each to whom they look like, after subjects have met."""
    for part, number in verified_parts(alone, crowd.tracks, meeting).items():
        if not number:
            crowd.add(codes, part.region, labels)
        elif number != alone[part]:
            labels[part.region] = number
            crowd.tracks[number].restart(part.region)


def _is_labelled(labels: NDArray[np.uint8], numbers: Iterable[int]) -> BoolArray:
    """Return where labels (h, w) are some of the numbers."""
    known = np.zeros(MAX_TRACKS + 1, np.bool_)
    known[list(numbers)] = True
    return np.asarray(known[labels])


def _soft_share(own: BoolArray, anybody: BoolArray) -> FloatArray:
    """Return the chosen ones' share (h, w) of what is somebody's around each pixel."""
    window = (EDGE_WINDOW, EDGE_WINDOW)
    around = cv2.blur(anybody.astype(np.float32), window)
    share = cv2.blur(own.astype(np.float32), window) / np.maximum(around, 1e-3)
    return np.asarray(np.clip(2 * share - 0.5, 0, 1), np.float32)
