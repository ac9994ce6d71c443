import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matte.training.synthesis.geometry import (
    EVERY_SIDE,
    NO_SIDE,
    WindowTransform,
    cropped_sides,
    place_window,
    random_transform,
    sample_window,
    valid_pixels,
)

GRADIENT = np.dstack(
    [
        *np.meshgrid(np.arange(200, dtype=np.uint8), np.arange(120, dtype=np.uint8)),
        np.zeros((120, 200), np.uint8),
    ]
)
turns = st.builds(
    WindowTransform,
    scale=st.floats(0.3, 2),
    degrees=st.floats(-180, 180),
    mirrored=st.booleans(),
    stretch=st.floats(0.8, 1.25),
)


def test_a_plain_window_shows_the_very_pixels() -> None:
    through = place_window(GRADIENT.shape, (40, 60), (100.3, 50.8), WindowTransform())
    crop = sample_window(GRADIENT, through)
    x, y = int(crop[0, 0, 0]), int(crop[0, 0, 1])
    assert (abs(x + 29.5 - 100.3), abs(y + 19.5 - 50.8)) < (1, 1)
    assert np.array_equal(crop, GRADIENT[y : y + 40, x : x + 60])
    mirrored = place_window(GRADIENT.shape, (40, 60), (100.3, 50.8), WindowTransform(mirrored=True))
    assert (np.diff(sample_window(GRADIENT, mirrored)[0, :, 0].astype(int)) == -1).all()


@given(turns, st.floats(0, 199), st.floats(0, 119), st.integers(1, 70), st.integers(1, 70))
def test_windows_stay_inside(
    turn: WindowTransform, x: float, y: float, height: int, width: int
) -> None:
    through = place_window(GRADIENT.shape, (height, width), (x, y), turn, enlarge=np.inf)
    assert through.inside
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    back = np.linalg.solve(through.move[:, :2], (corners - through.move[:, 2]).T).T
    assert (back > -0.52).all()
    assert (back < np.array([199.52, 119.52])).all()
    assert valid_pixels(through, GRADIENT.shape).all()


@given(turns, st.floats(60, 140), st.floats(40, 80))
def test_the_picture_s_points_land_where_the_window_says(
    turn: WindowTransform, x: float, y: float
) -> None:
    smooth = GRADIENT.copy()
    through = place_window(smooth.shape, (31, 31), (x, y), turn, NO_SIDE)
    crop = sample_window(smooth, through)
    back = np.linalg.solve(through.move[:, :2], np.array([15, 15]) - through.move[:, 2])
    if valid_pixels(through, smooth.shape)[15, 15]:
        assert np.allclose(crop[15, 15, :2], back, atol=1.1)


def test_what_lies_outside_is_not_valid() -> None:
    through = place_window(GRADIENT.shape, (240, 100), (100, 60), WindowTransform(), enlarge=1)
    there = valid_pixels(through, GRADIENT.shape)
    assert not through.inside
    assert there[70:170, 5:95].all()
    assert not there[:59].any()
    assert not there[181:].any()
    outside = sample_window(np.full((120, 200), 255, np.uint8), through, outside=7)
    assert (outside[:58] == 7).all()


def test_only_closed_sides_hold_a_window_back() -> None:
    free = place_window(
        (100, 100), (50, 50), (50, 99), WindowTransform(), (True, False, True, True)
    )
    held = place_window((100, 100), (50, 50), (50, 99), WindowTransform(), EVERY_SIDE)
    assert not free.inside
    assert held.inside


def test_sides_are_closed_where_the_subject_touches_them() -> None:
    alpha = np.zeros((9, 9), np.uint8)
    alpha[4:, 3] = 200
    assert cropped_sides(alpha) == (False, True, False, False)


def test_a_smaller_picture_is_averaged() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (200, 100))
    crop = sample_window(
        stripes, place_window((200, 200), (20, 20), (100, 100), WindowTransform(scale=0.25))
    )
    assert np.abs(crop.astype(int) - 128).max() < 20


def test_random_turns_keep_their_ranges() -> None:
    random = np.random.default_rng(0)
    drawn = [random_transform(random, (0.5, 2), 10, plain=0.3) for _ in range(200)]
    assert all(0.5 <= t.scale <= 2 and abs(t.degrees) <= 10 for t in drawn)
    assert 30 < sum(t.scale == 1 for t in drawn) < 90
    assert {t.mirrored for t in drawn} == {False, True}
