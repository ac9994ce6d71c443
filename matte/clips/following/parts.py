"""The connected parts of what the segmenter found, and which tracks they are most like."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray
from matte.clips.following.appearance import (
    ColourCodes,
    Histogram,
    colour_histogram,
    likeness,
    mixture_likeness,
)
from matte.clips.following.boxes import Box, Slices, box_gap, box_height, box_of, touches_side
from matte.clips.following.tracks import SubjectTrack

MIN_LIKENESS = 0.75  # from which a part can be somebody who was out of sight
SURE_LIKENESS = 0.85  # from which a part can be one of several who met there, alone
CONTINUITY = 0.08  # of likeness, for the track that a part was labelled with
MIN_VERIFIED_SHARE = 0.35  # of a track's area: smaller parts of it are no proof
SINGLE_AREA_SHARES = (0.5, 1.3)  # of a track's area, which a part has that is the track alone
# Likeness that each height of distance costs beyond a reach that grows with the hidden frames.
DISTANCE_COST, FREE_DISTANCE, FREE_DISTANCE_GROWTH = 0.2, 0.3, 0.02
MAX_APPEARING_DISTANCE = 0.1  # heights between the box of who was hidden and a part
# Share of a part, or of a track's pixels, that were a track's in the frame before: it is there.
MIN_PRESENT_SHARE, MIN_PRESENT_PIXELS = 0.05, 4
MIN_HEIGHT = 20  # pixels: smaller subjects move as far as those

Tracks = Mapping[int, SubjectTrack]  # by their numbers


@dataclass(eq=False)
class Part:
    """A connected part: where it is (h, w), in which rows and columns, and how many pixels."""

    region: BoolArray
    within: Slices
    area: int
    codes: ColourCodes = field(repr=False)

    @cached_property
    def box(self) -> Box:
        """The box around it."""
        rows, columns = self.within
        return np.array([columns.start, rows.start, columns.stop, rows.stop], np.float64)

    @cached_property
    def histogram(self) -> Histogram:
        """Its colours."""
        return colour_histogram(self.codes, self.region)


def connected_parts(person: BoolArray, codes: ColourCodes) -> Iterator[Part]:
    """Yield the connected parts of a region (h, w)."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8))
    for number in range(1, count):
        left, top, wide, high, area = (int(value) for value in stats[number])
        within = slice(top, top + high), slice(left, left + wide)
        yield Part(np.asarray(numbers == number), within, area, codes)


def part_of(region: BoolArray, codes: ColourCodes) -> Part:
    """Return a region (h, w) that has pixels, connected or not, as one part."""
    left, top, right, bottom = (int(side) for side in box_of(region))
    within = slice(top, bottom), slice(left, right)
    return Part(region, within, int(np.count_nonzero(region)), codes)


def tracks_in_part(
    part: Part,
    warped: NDArray[np.uint8],
    tracks: Tracks,
    sizes: NDArray[np.intp],
) -> tuple[dict[int, SubjectTrack], dict[int, SubjectTrack]]:
    """Return who was in a part in the frame before, and who was hidden and may come into sight.

    `sizes` are the pixels of each number in `warped`, the labels of the frame before (h, w).
    """
    counts = np.bincount(warped[part.region], minlength=len(sizes))
    present, hidden = {}, {}
    for number, track in tracks.items():
        if counts[number] >= max(
            MIN_PRESENT_PIXELS, MIN_PRESENT_SHARE * min(part.area, sizes[number])
        ):
            present[number] = track
        elif track.hidden_frames and track.box is not None and _is_near(track.box, part.box):
            hidden[number] = track
    return present, hidden


def _is_near(box: Box, other: Box) -> bool:
    """Return whether who is in a box may come into sight in another one."""
    return box_gap(box, other) <= MAX_APPEARING_DISTANCE * box_height(box)


def sole_owner(part: Part, tracks: Tracks) -> int:
    """Return the number of the one track that a part looks like, of several; 0 if none."""
    low, high = SINGLE_AREA_SHARES
    likely = {
        number: likeness(part.histogram, track.appearance.histogram)
        for number, track in tracks.items()
        if low * track.area <= part.area <= high * track.area
    }
    best = max(likely, key=likely.__getitem__, default=0)
    if not best or likely[best] < SURE_LIKENESS:
        return 0
    return best if not is_mixture(part, tracks, best) else 0


def is_mixture(part: Part, tracks: Tracks, best: int, margin: float = 0) -> bool:
    """Return whether a part looks more like two of the tracks together than like the best one."""
    own = tracks[best].appearance.histogram
    alone = mixture_likeness(part.histogram, own, own) + margin
    known = [track.appearance.histogram for track in tracks.values()]
    return any(
        mixture_likeness(part.histogram, one, other) > alone
        for number, one in enumerate(known)
        for other in known[:number]
    )


def likely_parts(parts: Iterable[Part], tracks: Tracks) -> dict[Part, int]:
    """Return which of the tracks, all out of sight, the parts are; each is one part at most."""
    scores = []
    for part in parts:
        for number, track in tracks.items():
            found = likeness(part.histogram, track.appearance.histogram)
            if track.box is not None:
                away = abs(part.box[0] + part.box[2] - track.box[0] - track.box[2]) / 2
                reach = FREE_DISTANCE + FREE_DISTANCE_GROWTH * track.hidden_frames
                heights = float(away) / max(MIN_HEIGHT, box_height(track.box))
                found -= DISTANCE_COST * max(0.0, heights - reach)
            if found >= MIN_LIKENESS:
                scores.append((found, part, number))
    return _best_pairs(scores)


def verified_parts(
    labelled: Mapping[Part, int], tracks: Tracks, busy: Iterable[int]
) -> dict[Part, int]:
    """Return whose the parts are that have one label each, by their looks; 0: a new one's.

    It mends what went wrong while subjects met. `busy` are the tracks that still meet others.
    """
    scores, width = [], 0
    for part, label in labelled.items():
        width = part.region.shape[1]
        is_whole = part.area >= MIN_VERIFIED_SHARE * tracks[label].area
        if not is_whole or touches_side(part.box, width):
            continue
        for number, track in tracks.items():
            found = likeness(part.histogram, track.appearance.histogram)
            if number == label:
                scores.append((found + CONTINUITY, part, number))
            elif found >= MIN_LIKENESS and number not in busy:
                scores.append((found, part, number))
    pairs = _best_pairs(scores)
    seen = {part for _, part, _ in scores}
    return {part: pairs.get(part, 0) for part in seen}


def _best_pairs(scores: list[tuple[float, Part, int]]) -> dict[Part, int]:
    """Return pairs of parts and tracks, the best ones first; nobody is in two."""
    pairs: dict[Part, int] = {}
    for _, part, number in sorted(scores, key=lambda score: -score[0]):
        if part not in pairs and number not in pairs.values():
            pairs[part] = number
    return pairs
