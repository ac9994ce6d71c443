import numpy as np

from matte.clips.following.tracks import start_track
from tests.clips.following.people import HEIGHT, RED, WIDTH, YELLOW, Person, codes_of, scene

WHOLE = slice(0, HEIGHT), slice(0, WIDTH)


def test_a_track_goes_on_while_it_is_hidden() -> None:
    image, seen = scene([Person(RED, YELLOW, 40)])
    codes = codes_of(image)
    track = start_track(codes, seen[0])
    flow = np.full((HEIGHT, WIDTH, 2), (-3.0, 0.0), np.float32)  # it came from the left
    still = np.zeros(2, np.float32)
    track.move(seen[0], flow, still)
    assert track.box is not None
    assert track.box[0] == 43
    nothing = np.zeros_like(seen[0])
    track.update(nothing, codes, learns=True)
    assert track.hidden_frames == 1
    track.move(nothing, flow, np.array([1.0, 0.0], np.float32))  # the camera moves, too
    assert track.box[0] == 47
    track.update(seen[0], codes, learns=True)
    assert track.hidden_frames == 0


def test_its_shape_is_found_where_its_evidence_is() -> None:
    image, seen = scene([Person(RED, YELLOW, 40)])
    track = start_track(codes_of(image), seen[0])
    evidence = np.where(np.roll(seen[0], 5, axis=1), 1, -1).astype(np.float32)
    placed = track.place_shape(evidence, WHOLE, visible=1)
    assert placed[50, 63] > 0.9
    assert placed[50, 42] == 0
    assert track.box is not None
    assert track.box[0] == 42.5  # half of the way
    track.place_shape(evidence, WHOLE, visible=0.2)
    assert track.box[0] == 42.5  # what is left of it in sight holds nobody back


def test_who_was_cut_off_is_learnt_anew_once_he_is_whole() -> None:
    image, seen = scene([Person(RED, YELLOW, -12)])
    track = start_track(codes_of(image), seen[0])
    assert (track.cut_off, track.area) == (True, 8 * 64)
    image, seen = scene([Person(RED, YELLOW, 4)])
    track.update(seen[0], codes_of(image), learns=True)
    assert (track.cut_off, track.area) == (False, 20 * 64)
