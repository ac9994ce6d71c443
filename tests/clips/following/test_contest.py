import numpy as np

from matte.arrays import BoolArray
from matte.clips.following.appearance import colour_histogram
from matte.clips.following.contest import (
    ContestFrame,
    local_mean,
    owners_of_region,
    split_by_colour,
)
from matte.clips.following.tracks import start_track
from tests.clips.following.people import (
    BLUE,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    YELLOW,
    Person,
    codes_of,
    scene,
)

WHOLE = slice(0, HEIGHT), slice(0, WIDTH)


def agreement(found: np.ndarray, seen: list[BoolArray]) -> float:
    truth = np.where(seen[1], 2, np.where(seen[0], 1, 0))
    region = truth > 0
    return float((found == truth)[region].mean())


def test_a_border_is_drawn_by_colour_where_flow_says_nothing() -> None:
    people = [Person(RED, BLUE, 30), Person(GREEN, YELLOW, 90)]
    image, seen = scene(people)
    codes = codes_of(image)
    tracks = {number: start_track(codes, region) for number, region in enumerate(seen, 1)}
    image, seen = scene([Person(RED, BLUE, 52), Person(GREEN, YELLOW, 66)])
    everybody = seen[0] | seen[1]
    for number, left in ((1, 50), (2, 68)):
        tracks[number].box = np.array([left, 20, left + 20, 84], np.float64)
    nothing = np.zeros((HEIGHT, WIDTH), np.uint8)
    frame = ContestFrame(codes_of(image), nothing, np.zeros(nothing.shape, np.float32), everybody)
    found = owners_of_region(frame, WHOLE, everybody, tracks, {})
    assert agreement(found.labels, seen) > 0.93
    assert 0.5 < found.probability[everybody].mean() <= 1


def test_hidden_ones_need_evidence_to_come_into_sight() -> None:
    image, seen = scene([Person(RED, BLUE, 30), Person(GREEN, YELLOW, 90)])
    codes = codes_of(image)
    one, other = (start_track(codes, region) for region in seen)
    other.box = one.box
    warped = seen[0].astype(np.uint8)
    sure = np.ones(warped.shape, np.float32)
    frame = ContestFrame(codes, warped, sure, seen[0])
    found = owners_of_region(frame, WHOLE, seen[0], {1: one}, {2: other})
    assert (found.labels[seen[0]] == 1).all()


def test_a_group_is_split_by_colour_and_strangers_are_nobody() -> None:
    image, seen = scene([Person(RED, BLUE, 30), Person(GREEN, YELLOW, 100)])
    codes = codes_of(image)
    tracks = {1: start_track(codes, seen[0])}
    image, seen = scene([Person(RED, BLUE, 52), Person(GREEN, YELLOW, 70)], ground=9)
    codes, everybody = codes_of(image), seen[0] | seen[1]
    nothing = np.zeros(codes.shape, np.uint8)
    frame = ContestFrame(codes, nothing, nothing.astype(np.float32), everybody)
    found = split_by_colour(frame, everybody, colour_histogram(codes, everybody), tracks)
    assert (found[seen[0]] == 1).mean() > 0.85
    assert (found[seen[1]] == 0).mean() > 0.85


def test_a_local_mean_counts_weighted_pixels_alone() -> None:
    weight = np.zeros((9, 9), np.float32)
    weight[:, :4] = 1
    found = local_mean(weight * 3, weight, 5)
    assert np.allclose(found[:, :4], 3, atol=0.01)
