import numpy as np
import pytest

from matte.clips.following.choices import TimedChoice
from matte.clips.following.crowd import MAX_HIDDEN_FRAMES, MAX_TRACKS, Crowd
from matte.segmentation.subjects import parse_subject
from tests.clips.following.people import (
    BLUE,
    GREEN,
    HEIGHT,
    RED,
    WIDTH,
    YELLOW,
    Person,
    codes_of,
    crowd_of,
    scene,
)

PEOPLE = (Person(RED, BLUE, 20), Person(GREEN, YELLOW, 80), Person(BLUE, RED, 138))
IMAGE, SEEN = scene(PEOPLE)
CODES = codes_of(IMAGE)


@pytest.fixture
def crowd() -> Crowd:
    return crowd_of(*PEOPLE)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("centre", {2}),
        ("at:30,50", {1}),
        ("at:60,10", set()),
        ("2", {1, 2}),
        ("box:0,0,48%,100%", {1}),
        ("box:0,0,100%,100%", {1, 2, 3}),
    ],
)
def test_a_choice_means_who_is_there(crowd: Crowd, text: str, chosen: set[int]) -> None:
    assert crowd.choose(TimedChoice(parse_subject(text)), CODES) is bool(chosen)
    assert crowd.chosen.keys() == chosen


def test_all_means_everybody(crowd: Crowd) -> None:
    assert crowd.choose(TimedChoice(None), CODES)
    assert len(crowd.chosen) == 3


def test_a_stroke_means_whom_it_is_on_and_a_shape_splits(crowd: Crowd) -> None:
    stroke = np.zeros((HEIGHT, WIDTH), np.bool_)
    stroke[24:80, 88:90] = True
    assert crowd.choose(TimedChoice(parse_subject("mask:m"), 0, stroke), CODES)
    assert crowd.chosen.keys() == {2}
    upper = SEEN[1].copy()
    upper[52:] = False
    assert crowd.choose(TimedChoice(parse_subject("mask:m"), 0, upper), CODES)
    (number,) = crowd.chosen
    assert number == 4
    assert (crowd.labels[upper] == 4).all()
    assert crowd.tracks[2].area == SEEN[1].sum() - upper.sum()


def test_strangers_who_are_hidden_for_long_are_forgotten(crowd: Crowd) -> None:
    crowd.tracks[1].chosen = True
    for number in (1, 2):
        crowd.tracks[number].hidden_frames = MAX_HIDDEN_FRAMES + 1
        crowd.tracks[number].age = 100
    crowd.forget_strangers()
    assert crowd.tracks.keys() == {1, 3}


def test_no_more_are_told_apart_than_have_numbers(crowd: Crowd) -> None:
    for _ in range(MAX_TRACKS):
        crowd.add(CODES, SEEN[0], crowd.labels)
    assert len(crowd.tracks) == MAX_TRACKS
    assert (crowd.labels[SEEN[0]] == 0).all()
    crowd.tracks[3].hidden_frames = 5
    assert crowd.add(CODES, SEEN[0], crowd.labels) == 3
