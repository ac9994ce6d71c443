"""To whom each pixel of a region belongs in which several subjects meet."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import BoolArray, FloatArray
from matte.clips.following.appearance import ColourCodes, Histogram, band_of_rows
from matte.clips.following.boxes import Slices, box_height, box_of
from matte.clips.following.tracks import SubjectTrack

# Weights of what speaks for a subject: the flow's way back to it, its nearness, its shape.
FLOW_WEIGHT, NEAR_WEIGHT, SHAPE_WEIGHT = 2.0, 1.0, 2.0
MIN_FLOW_WEIGHT = 0.25  # share of the flow's that remains where frames don't agree
HIDDEN_PENALTY = 1.0  # for subjects that were hidden a frame ago
MAX_COLOUR_EVIDENCE = 3.0  # natural logarithm, of one pixel
COLOUR_WINDOW, NEAR_WINDOW, VOTE_WINDOW = 5, 11, 5  # sides in pixels
SPLIT_WINDOW = 11  # of colours where neither flow nor place say anything
MIN_APPEARING_PIXELS, MIN_APPEARING_SHARE = 12, 0.03  # of a hidden subject that comes into sight
STRANGER_PENALTY = 1.0  # of a pixel, for whoever was never seen
STRANGER_SHARE = 0.005  # that any colour may have on somebody who was never seen
FLOW_EVIDENCE = 1.5  # for a shape's place, of a pixel that the flow leads back to the subject

Labels = NDArray[np.uint8]  # (h, w) number of a track, 0 nobody


@dataclass(frozen=True, slots=True, eq=False)
class ContestFrame:
    """What is known of a frame at the size of its small copy (h, w)."""

    codes: ColourCodes
    warped: Labels
    """The labels of the frame before, warped to this one."""
    agreement: FloatArray
    person: BoolArray
    """Where the segmenter found anybody."""


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """The numbers of the owners (h, w) of a region's pixels, and how surely they own them."""

    labels: Labels
    probability: FloatArray


def owners_of_region(
    frame: ContestFrame,
    within: Slices,
    region: BoolArray,
    present: Mapping[int, SubjectTrack],
    hidden: Mapping[int, SubjectTrack],
) -> Owners:
    """Return the owners of a region's pixels by colour, shape, flow and nearness.

    `region` (h, w) is the part `within` the frame. `present` are the tracks that were seen there in
    the frame before, by their numbers; `hidden` are those that may come into sight.
    """
    tracks = {**present, **hidden}
    weight = region.astype(np.float32)
    evidence = _colour_evidence(frame, within, region, tracks)
    warped, agreement = frame.warped[within], frame.agreement[within]
    flow_weight = FLOW_WEIGHT * (MIN_FLOW_WEIGHT + (1 - MIN_FLOW_WEIGHT) * agreement)
    scores = np.empty((len(tracks), *region.shape), np.float32)
    for row, (number, track) in enumerate(tracks.items()):
        colour = evidence[row] * weight
        scores[row] = local_mean(colour, weight, COLOUR_WINDOW)
        if number in present:
            before = (warped == number).astype(np.float32)
            scores[row] += cv2.blur(before * flow_weight, (3, 3))
            scores[row] += NEAR_WEIGHT * cv2.blur(before, (NEAR_WINDOW, NEAR_WINDOW))
            colour = colour + np.float32(FLOW_EVIDENCE) * before
            visible = float(np.count_nonzero(before)) / track.area
        else:
            visible = 0.0
            scores[row] -= HIDDEN_PENALTY
        scores[row] += SHAPE_WEIGHT * (2 * track.place_shape(colour, within, visible) - 1)
    numbers = np.array(list(tracks), np.uint8)
    for row, number in enumerate(numbers):
        if number in hidden:
            pixels = np.count_nonzero(region & (scores.argmax(axis=0) == row))
            if pixels < max(MIN_APPEARING_PIXELS, MIN_APPEARING_SHARE * tracks[number].area):
                scores[row] = -np.inf
    return Owners(numbers[_majority(scores, weight)], _probability(scores))


def split_by_colour(
    frame: ContestFrame, region: BoolArray, histogram: Histogram, tracks: Mapping[int, SubjectTrack]
) -> Labels:
    """Return who is where in a region (h, w) by colours alone; 0 where it is nobody of them.

    `histogram` is the region's own: whoever was never seen has about its colours, but those of the
    others are among them, too, which the penalty makes up for.
    """
    box = box_of(region)
    left, top, right, bottom = box.astype(int)
    within = slice(top, bottom), slice(left, right)
    part, codes = region[within], frame.codes[within]
    bands = band_of_rows(np.arange(bottom - top), 0, box_height(box))
    stranger = np.log(histogram.sum(axis=0) / 2 + STRANGER_SHARE / 2) - STRANGER_PENALTY
    logs = [track.appearance.log_shares()[bands[:, None], codes] for track in tracks.values()]
    evidence = _relative(np.stack([stranger[codes], *logs]).astype(np.float32))
    weight = part.astype(np.float32)
    scores = np.stack([local_mean(each * weight, weight, SPLIT_WINDOW) for each in evidence])
    found = np.zeros(region.shape, np.uint8)
    numbers = np.array([0, *tracks], np.uint8)
    found[within] = np.where(part, numbers[scores.argmax(axis=0)], 0)
    return found


def local_mean(values: FloatArray, weight: FloatArray, side: int) -> FloatArray:
    """Return the means over square windows of values (h, w) that are multiplied by a weight."""
    window = (side, side)
    return np.asarray(
        cv2.blur(values, window) / np.maximum(cv2.blur(weight, window), 1e-3), np.float32
    )


def _colour_evidence(
    frame: ContestFrame, within: Slices, region: BoolArray, tracks: Mapping[int, SubjectTrack]
) -> FloatArray:
    """Return for each track how much a pixel's colour speaks for it (K, h, w)."""
    codes, first_row = frame.codes[within], within[0].start
    whole = np.array([0, first_row, 0, within[0].stop], np.float64)
    logs = [
        track.appearance.log_likelihood(codes, first_row, whole if track.box is None else track.box)
        for track in tracks.values()
    ]
    return _relative(np.stack(logs))


def _relative(logs: FloatArray) -> FloatArray:
    """Return log likelihoods (K, h, w) in relation to their mean likelihood, within bounds."""
    mean = np.log(np.exp(logs).mean(axis=0))
    return np.asarray(np.clip(logs - mean, -MAX_COLOUR_EVIDENCE, MAX_COLOUR_EVIDENCE), np.float32)


def _majority(scores: FloatArray, weight: FloatArray) -> NDArray[np.intp]:
    """Return which row of the scores (K, h, w) is the best one in most of each pixel's window."""
    best = scores.argmax(axis=0)
    window = (VOTE_WINDOW, VOTE_WINDOW)
    votes = [cv2.blur((best == row) * weight, window) for row in range(len(scores))]
    return np.asarray(np.argmax(votes, axis=0), np.intp)


def _probability(scores: FloatArray) -> FloatArray:
    """Return the probability of each pixel's best row of the scores (K, h, w)."""
    odds = np.exp(np.maximum(scores - scores.max(axis=0), -20))
    return np.asarray(1 / odds.sum(axis=0), np.float32)
