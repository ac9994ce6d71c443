"""Follows the chosen subjects of a clip from frame to frame, among others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, Confidence, FloatArray
from matte.clips.following.appearance import ColourCodes, colour_codes, colour_histogram, likeness
from matte.clips.following.boxes import box_gap
from matte.clips.following.choices import TimedChoice
from matte.clips.following.contest import ContestFrame, owners_of_region, split_by_colour
from matte.clips.following.crowd import MAX_TRACKS, Crowd
from matte.clips.following.parts import (
    MIN_LIKENESS,
    SURE_LIKENESS,
    Part,
    connected_parts,
    is_mixture,
    likely_parts,
    part_of,
    sole_owner,
    tracks_in_part,
    verified_parts,
)
from matte.clips.motion import Motion
from matte.clips.following.tracks import start_track
from matte.imaging.flow import warp_labels
from matte.imaging.resizing import resize

MIN_PERSON_CONFIDENCE = 0.4
MIN_PART_SHARE = 0.004  # of the frame: smaller parts are nobody by themselves
MAX_GAP_PIXELS = 4  # of the small copy, by which a small part belongs to its neighbour
MIN_FOLLOWED_AGREEMENT = 0.5  # of the frames, where flow says how somebody moves
# A stranger who is in several parts, of this share of the largest, for so long, is several.
MIN_GROUP_SHARE, APART_FRAMES = 0.3, 3
MIN_RECOGNISED_SHARE = 0.2  # of the area of somebody who was hidden
SAMPLING_STEP = 2  # of rows and columns, of which flow's median is taken
LIKENESS_INTERVAL = 3  # frames between two comparisons with the memory
VERIFYING_FRAMES = 20  # after subjects have met, in which looks decide who is who
MIN_SPLIT_SHARE = 0.08  # of a part: smaller pieces of it are nobody's
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
        _place_fresh(crowd, frame, fresh, labels)
        _part_strangers(crowd, codes, parts, alone, labels)
        if crowd.is_chosen_hidden:
            _recognise(crowd, codes, labels)
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
            _join_neighbour(crowd, part, crowd.labels)
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


def _place_fresh(
    crowd: Crowd, frame: ContestFrame, fresh: Sequence[Part], labels: NDArray[np.uint8]
) -> None:
    """Label the parts in which nobody was before: who was hidden, somebody new, a neighbour."""
    least = MIN_PART_SHARE * labels.size
    large = [part for part in fresh if part.area >= least]
    hidden = crowd.out_of_sight
    whole: list[Part] = []
    for part in large:
        found = _split_part(crowd, frame, part, labels, len(large)) if hidden else set()
        hidden = {number: track for number, track in hidden.items() if number not in found}
        if not found:
            whole.append(part)
    pairs = likely_parts(whole, hidden)
    for part in whole:
        if part in pairs:
            labels[part.region] = pairs[part]
            crowd.tracks[pairs[part]].restart(part.region)
        else:
            crowd.add(frame.codes, part.region, labels)
    for part in fresh:
        if part.area < least:
            _join_neighbour(crowd, part, labels)


def _part_strangers(
    crowd: Crowd,
    codes: ColourCodes,
    parts: Sequence[Part],
    alone: dict[Part, int],
    labels: NDArray[np.uint8],
) -> None:
    """Track each apart of those who were taken for one, and have walked apart."""
    counts = np.array([np.bincount(labels[part.region], minlength=MAX_TRACKS + 1) for part in parts])
    for number, track in list(crowd.tracks.items()):
        if track.chosen or not len(parts):
            continue
        areas = counts[:, number]
        least = max(MIN_GROUP_SHARE * areas.max(), MIN_PART_SHARE * labels.size)
        found = [parts[at] for at in np.argsort(-areas) if areas[at] >= least]
        track.apart_frames = track.apart_frames + 1 if len(found) > 1 else 0
        if track.apart_frames < APART_FRAMES:
            continue
        regions = [np.asarray(part.region & (labels == number)) for part in found]
        crowd.tracks[number] = start_track(codes, regions[0])
        for part, region in zip(found[1:], regions[1:], strict=True):
            new = crowd.add(codes, region, labels)
            if part in alone:
                alone[part] = new


def _recognise(crowd: Crowd, codes: ColourCodes, labels: NDArray[np.uint8]) -> None:
    """Take strangers who appeared while others were hidden for those whom they look like."""
    hidden = crowd.out_of_sight
    longest = max(track.hidden_frames for track in hidden.values())
    young = {
        number: part_of(np.asarray(labels == number), codes)
        for number, track in crowd.tracks.items()
        if not track.chosen and not track.hidden_frames and track.age < longest
        and (labels == number).any()
    }
    pairs = likely_parts(young.values(), hidden)
    for number, part in young.items():
        found = pairs.get(part, 0)
        if not found or part.area < MIN_RECOGNISED_SHARE * hidden[found].area:
            continue
        if crowd.tracks[number].age < hidden[found].hidden_frames:
            labels[part.region] = found
            crowd.tracks[found].restart(part.region)
            del crowd.tracks[number]


def _split_part(
    crowd: Crowd, frame: ContestFrame, part: Part, labels: NDArray[np.uint8], parts: int
) -> set[int]:
    """Label a part in which several who were hidden appear together; return their numbers."""
    hidden = crowd.out_of_sight
    alike = {n: likeness(part.histogram, each.appearance.histogram) for n, each in hidden.items()}
    best = max(alike, key=alike.__getitem__)
    if parts > 1 and alike[best] >= SURE_LIKENESS:
        return set()
    if alike[best] >= MIN_LIKENESS and not is_mixture(part, hidden, best, margin=0.01):
        return set()
    split = split_by_colour(frame, part.region, part.histogram, hidden)
    found: dict[int, BoolArray] = {}
    for number, track in hidden.items():
        pieces = list(connected_parts(split == number, frame.codes))
        piece = max(pieces, key=lambda each: each.area, default=None)
        if piece is None or piece.area < MIN_SPLIT_SHARE * part.area:
            continue
        if likeness(piece.histogram, track.appearance.histogram) >= MIN_LIKENESS:
            found[number] = piece.region
    if not found:
        return set()
    for number, region in found.items():
        labels[region] = number
        crowd.tracks[number].restart(region)
    rest = part.region & ~np.any(list(found.values()), axis=0)
    for piece in connected_parts(np.asarray(rest), frame.codes):
        if piece.area >= max(2 * MIN_SPLIT_SHARE * part.area, MIN_PART_SHARE * labels.size):
            crowd.add(frame.codes, piece.region, labels)
        else:
            near = cv2.dilate(piece.region.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            around = np.bincount(labels[near & ~piece.region], minlength=MAX_TRACKS + 1)
            labels[piece.region] = int(around[1:].argmax()) + 1 if around[1:].any() else 0
    return set(found)


def _join_neighbour(crowd: Crowd, part: Part, labels: NDArray[np.uint8]) -> None:
    """Label a small part as whoever is next to it, if anybody is."""
    gaps = {
        number: box_gap(track.box, part.box)
        for number, track in crowd.tracks.items()
        if track.box is not None and not track.hidden_frames
    }
    nearest = min(gaps, key=gaps.__getitem__, default=0)
    if nearest and gaps[nearest] <= MAX_GAP_PIXELS:
        labels[part.region] = nearest


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
