import numpy as np

from matte.clips.following.parts import (
    connected_parts,
    is_mixture,
    likely_parts,
    sole_owner,
    tracks_in_part,
    verified_parts,
)
from matte.clips.following.tracks import start_track
from tests.clips.following.people import BLUE, GREEN, RED, YELLOW, Person, codes_of, scene

PEOPLE = [Person(RED, BLUE, 20), Person(GREEN, YELLOW, 110)]


def test_parts_are_connected_and_know_their_box() -> None:
    image, seen = scene(PEOPLE)
    one, other = connected_parts(seen[0] | seen[1], codes_of(image))
    assert (one.region == seen[0]).all()
    assert one.box.tolist() == [20, 20, 40, 84]
    assert other.area == 20 * 64


def test_who_is_in_a_part_was_there_or_is_hidden_nearby() -> None:
    image, seen = scene(PEOPLE)
    codes = codes_of(image)
    tracks = {number: start_track(codes, region) for number, region in enumerate(seen, 1)}
    one, other = connected_parts(seen[0] | seen[1], codes)
    warped = seen[0].astype(np.uint8)
    sizes = np.bincount(warped.ravel(), minlength=3)
    present, hidden = tracks_in_part(one, warped, tracks, sizes)
    assert (set(present), set(hidden)) == ({1}, set())
    tracks[2].hidden_frames = 3
    present, hidden = tracks_in_part(other, warped, tracks, sizes)
    assert (set(present), set(hidden)) == (set(), {2})


def test_one_alone_is_told_from_two_together() -> None:
    image, seen = scene(PEOPLE)
    codes = codes_of(image)
    tracks = {number: start_track(codes, region) for number, region in enumerate(seen, 1)}
    one, _ = connected_parts(seen[0] | seen[1], codes)
    assert sole_owner(one, tracks) == 1
    assert not is_mixture(one, tracks, 1)
    image, seen = scene([Person(RED, BLUE, 50), Person(GREEN, YELLOW, 65)])
    (both,) = connected_parts(seen[0] | seen[1], codes_of(image))
    assert sole_owner(both, tracks) == 0
    assert is_mixture(both, tracks, 1)


def test_lost_tracks_are_found_by_their_looks_if_they_are_not_too_far() -> None:
    image, seen = scene(PEOPLE)
    codes = codes_of(image)
    track = start_track(codes, seen[0])
    track.hidden_frames = 1
    image, seen = scene([Person(GREEN, YELLOW, 24), Person(RED, BLUE, 130)])
    parts = list(connected_parts(seen[0] | seen[1], codes_of(image)))
    assert likely_parts(parts, {1: track}) == {}  # so far nobody walks in a frame
    track.box = None  # after a cut he may be anywhere
    assert likely_parts(parts, {1: track}) == {parts[1]: 1}


def test_swapped_labels_are_mended_and_who_has_none_is_new() -> None:
    image, seen = scene([*PEOPLE, Person(YELLOW, RED, 65)])
    codes = codes_of(image)
    tracks = {number: start_track(codes, region) for number, region in enumerate(seen[:2], 1)}
    one, third, other = sorted(
        connected_parts(np.any(seen, axis=0), codes), key=lambda part: part.box[0]
    )
    found = verified_parts({one: 2, other: 1, third: 1}, tracks, busy=())
    assert found == {one: 1, other: 2, third: 0}
    assert verified_parts({one: 2}, tracks, busy={1}) == {one: 2}
