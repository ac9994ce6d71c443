import numpy as np

from matte.arrays import BoolArray
from matte.clips.following.arrivals import join_neighbour, place_arrivals
from matte.clips.following.contest import ContestFrame
from matte.clips.following.crowd import Crowd
from matte.clips.following.parts import connected_parts, part_of
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

NOBODY = np.zeros((HEIGHT, WIDTH), np.uint8)


def hide(crowd: Crowd, *numbers: int) -> None:
    for number in numbers:
        crowd.tracks[number].hidden_frames, crowd.tracks[number].box = 5, None


def arrive(crowd: Crowd, *people: Person) -> tuple[np.ndarray, list[BoolArray]]:
    """Place these people, of whom nobody was there before; the labels, and what is seen of each."""
    image, seen = scene(people, ground=9)
    codes, person = codes_of(image), np.asarray(np.any(seen, axis=0))
    frame = ContestFrame(codes, NOBODY, NOBODY.astype(np.float32), person)
    labels = NOBODY.copy()
    place_arrivals(crowd, frame, list(connected_parts(person, codes)), labels)
    return labels, seen


def test_who_was_hidden_is_known_by_his_looks_and_another_is_new() -> None:
    crowd = crowd_of(Person(RED, BLUE, 20))
    hide(crowd, 1)
    labels, seen = arrive(crowd, Person(GREEN, YELLOW, 20), Person(RED, BLUE, 100))
    assert (labels[seen[1]] == 1).all()
    assert (labels[seen[0]] == 2).all()
    assert not crowd.tracks[1].hidden_frames


def test_all_who_were_hidden_are_found_in_a_group_with_a_stranger() -> None:
    crowd = crowd_of(Person(RED, BLUE, 20), Person(GREEN, YELLOW, 100))
    hide(crowd, 1, 2)
    labels, seen = arrive(
        crowd,
        Person(RED, BLUE, 42),
        Person((200, 200, 205), (90, 90, 90), 60),
        Person(GREEN, YELLOW, 78),
    )
    assert (labels[seen[0]] == 1).mean() > 0.8
    assert (labels[seen[2]] == 2).mean() > 0.8
    assert (labels[seen[1]] > 2).mean() > 0.6


def test_a_small_part_is_its_neighbours_or_nobodys() -> None:
    crowd = crowd_of(Person(RED, BLUE, 20))
    codes = codes_of(scene([])[0])
    near, far = np.zeros((2, HEIGHT, WIDTH), np.bool_)
    near[30:34, 42:46] = True
    far[30:34, 120:124] = True
    for region in (near, far):
        join_neighbour(crowd, part_of(region, codes), crowd.labels)
    assert (crowd.labels[near] == 1).all()
    assert (crowd.labels[far] == 0).all()
