"""Who is in the parts of a frame in which nobody was in the frame before."""

from collections.abc import Sequence

import cv2
import numpy as np

from matte.arrays import BoolArray
from matte.clips.following.appearance import likeness
from matte.clips.following.boxes import box_gap
from matte.clips.following.contest import ContestFrame, Labels, split_by_colour
from matte.clips.following.crowd import MAX_TRACKS, Crowd
from matte.clips.following.parts import (
    MIN_LIKENESS,
    SURE_LIKENESS,
    Part,
    connected_parts,
    is_mixture,
    likely_parts,
)

MIN_PART_SHARE = 0.004  # of the frame: smaller parts are nobody by themselves
MAX_GAP_PIXELS = 4  # of the small copy, by which a small part belongs to its neighbour
MIN_SPLIT_SHARE = 0.08  # of a part: smaller pieces of it are nobody's


def place_arrivals(
    crowd: Crowd, frame: ContestFrame, fresh: Sequence[Part], labels: Labels
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
            join_neighbour(crowd, part, labels)


def _split_part(
    crowd: Crowd, frame: ContestFrame, part: Part, labels: Labels, parts: int
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


def join_neighbour(crowd: Crowd, part: Part, labels: Labels) -> None:
    """Label a small part as whoever is next to it, if anybody is."""
    gaps = {
        number: box_gap(track.box, part.box)
        for number, track in crowd.tracks.items()
        if track.box is not None and not track.hidden_frames
    }
    nearest = min(gaps, key=gaps.__getitem__, default=0)
    if nearest and gaps[nearest] <= MAX_GAP_PIXELS:
        labels[part.region] = nearest
