import numpy as np
import pytest

from matte.clips.following.appearance import likeness
from matte.clips.following.crowd import MAX_TRACKS
from matte.clips.following.parts import connected_parts
from matte.clips.following.strangers import APART_FRAMES, part_groups, recognise_hidden
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

RED_ONE, GREEN_ONE, BLUE_ONE = (
    Person(RED, BLUE, 10),
    Person(GREEN, YELLOW, 60),
    Person(BLUE, RED, 120),
)


@pytest.mark.parametrize("chosen", [False, True])
def test_a_group_that_walks_apart_is_several_unless_it_is_chosen(chosen: bool) -> None:
    image, seen = scene([GREEN_ONE, BLUE_ONE])
    codes, crowd = codes_of(image), crowd_of()
    group = np.asarray(seen[0] | seen[1])
    crowd.add(codes, group, crowd.labels)
    crowd.tracks[1].chosen = chosen
    parts = list(connected_parts(group, codes))
    alone = dict.fromkeys(parts, 1)
    for _ in range(APART_FRAMES - 1):
        part_groups(crowd, codes, parts, alone, crowd.labels)
    assert len(crowd.tracks) == 1
    part_groups(crowd, codes, parts, alone, crowd.labels)
    assert len(crowd.tracks) == (1 if chosen else 2)
    assert len(set(alone.values())) == len(crowd.tracks)
    if not chosen:
        one, other = (crowd.tracks[alone[part]].appearance.histogram for part in parts)
        assert likeness(one, other) < 0.5
        assert set(np.unique(crowd.labels[group])) == {1, 2}


def test_next_to_the_chosen_nobody_is_told_apart() -> None:
    image, seen = scene([GREEN_ONE, BLUE_ONE, Person(RED, BLUE, 80)])
    codes, crowd = codes_of(image), crowd_of()
    crowd.add(codes, np.asarray(seen[0] | seen[1]), crowd.labels)
    chosen = crowd.add(codes, seen[2], crowd.labels)
    crowd.tracks[chosen].chosen = True
    parts = list(connected_parts(np.asarray(np.any(seen, axis=0)), codes))
    assert len(parts) == 2  # the green one touches the chosen one
    for _ in range(APART_FRAMES + 1):
        part_groups(crowd, codes, parts, {}, crowd.labels)
    assert crowd.tracks.keys() == {1, chosen}


def test_who_has_no_number_left_is_nobody() -> None:
    image, seen = scene([GREEN_ONE, BLUE_ONE])
    codes, crowd = codes_of(image), crowd_of()
    for _ in range(MAX_TRACKS):
        crowd.add(codes, np.asarray(seen[0] | seen[1]), crowd.labels)
    parts = list(connected_parts(np.asarray(seen[0] | seen[1]), codes))
    alone = dict.fromkeys(parts, MAX_TRACKS)
    for _ in range(APART_FRAMES):
        part_groups(crowd, codes, parts, alone, crowd.labels)
    assert list(alone.values()) == [MAX_TRACKS]
    assert set(np.unique(crowd.labels)) == {0, MAX_TRACKS}


def test_a_small_piece_is_nobody_by_itself() -> None:
    image, seen = scene([GREEN_ONE])
    codes, crowd = codes_of(image), crowd_of()
    region = seen[0].copy()
    region[70:74] = False  # the feet come off
    crowd.add(codes, region, crowd.labels)
    parts = list(connected_parts(region, codes))
    assert len(parts) == 2
    for _ in range(APART_FRAMES + 1):
        part_groups(crowd, codes, parts, {}, crowd.labels)
    assert crowd.tracks.keys() == {1}


@pytest.mark.parametrize(
    ("newcomer", "hidden_frames", "found"),
    [(RED_ONE, 6, True), (RED_ONE, 2, False), (GREEN_ONE, 6, False)],
    ids=["alike", "was there before", "unlike"],
)
def test_a_newcomer_may_be_who_was_hidden(
    newcomer: Person, hidden_frames: int, found: bool
) -> None:
    image, seen = scene([RED_ONE])
    crowd = crowd_of()
    crowd.add(codes_of(image), seen[0], crowd.labels)
    crowd.tracks[1].chosen = True
    crowd.tracks[1].hidden_frames, crowd.tracks[1].box = hidden_frames, None
    image, seen = scene([newcomer])
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    crowd.add(codes_of(image), seen[0], labels)
    crowd.tracks[2].age = 4
    alone = dict.fromkeys(connected_parts(seen[0], codes_of(image)), 2)
    recognise_hidden(crowd, codes_of(image), alone, labels)
    assert (labels[seen[0]] == (1 if found else 2)).all()
    assert set(alone.values()) == {1 if found else 2}
    assert (2 in crowd.tracks) is not found
    assert bool(crowd.tracks[1].hidden_frames) is not found
