from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.clips.despeckling import Despeckler, despeckling_delay
from matte.clips.motion import MotionTracker
from matte.imaging.resizing import resize
from tests.clips.moving_disc import dark_scene, disc, moving_clip, still_clip

FLECK, HOLE = np.s_[6:9, 12:15], np.s_[50:54, 94:98]  # beside the disc, and inside of it


def run(
    frames: Sequence[Image], alphas: Sequence[Alpha], max_frames: int = 2, delay: int = 2
) -> list[Alpha]:
    tracker, despeckler = MotionTracker(), Despeckler(max_frames, delay)
    found = [
        despeckler.clean(alpha, tracker.track(frame))
        for frame, alpha in zip(frames, alphas, strict=True)
    ]
    assert [each is None for each in found] == [n < delay for n in range(len(alphas))]
    while (last := despeckler.pending()) is not None:
        found.append(last)
    return [each[0] for each in found if each is not None]


def marked(alphas: Sequence[Alpha], numbers: Sequence[int], value: float = 1) -> list[Alpha]:
    """Alphas that have a fleck in some frames, or a hole."""
    place = FLECK if value > 0.5 else HOLE
    found = [alpha.copy() for alpha in alphas]
    for number in numbers:
        found[number][place] = value
        assert not np.array_equal(found[number], alphas[number])
    return [Alpha(alpha) for alpha in found]


def same(found: Sequence[Alpha], wanted: Sequence[Alpha]) -> list[bool]:
    return [np.array_equal(*each) for each in zip(found, wanted, strict=True)]


@pytest.mark.parametrize("value", [1.0, 0.0, 0.6])
@pytest.mark.parametrize("numbers", [[3], [3, 4], [2, 3, 6, 7], [0], [8, 9]])
def test_what_lasts_for_two_frames_goes_away(value: float, numbers: list[int]) -> None:
    frames, alphas = still_clip(10)
    speckled = marked(alphas, numbers, value)
    before = [alpha.copy() for alpha in speckled]
    assert all(same(run(frames, speckled), alphas))
    assert all(same(speckled, before)), "not edited"


@pytest.mark.parametrize("value", [1.0, 0.0])
def test_what_lasts_for_three_frames_stays_from_the_first_on(value: float) -> None:
    frames, alphas = still_clip(10)
    speckled = marked(alphas, [3, 4, 5], value)
    assert all(same(run(frames, speckled), speckled))
    assert not any(same(run(frames, speckled, 3, 3), speckled)[3:6])


def test_without_a_delay_it_is_shown_once_it_has_lasted() -> None:
    frames, alphas = still_clip(10)
    speckled = marked(alphas, [3, 4, 5, 6])
    assert all(same(run(frames, speckled, delay=0), [*alphas[:5], *speckled[5:]]))
    half = run(frames, speckled, delay=1)
    assert all(same(half, [*alphas[:4], *speckled[4:]]))


def test_hair_stays_however_short_it_is_seen() -> None:
    frames, alphas = still_clip(6)
    hairy = [alpha.copy() for alpha in alphas]
    cv2.line(hairy[2], (96, 24), (110, 4), 0.4, 1)  # hangs together with the disc
    hairy[2][13:15] = alphas[2][13:15]  # with a gap
    hairy[4][40:44, 130:150] = 0.3  # touches the disc's edge
    hairs = [Alpha(alpha) for alpha in hairy]
    assert all(same(run(frames, hairs), hairs))


def test_what_is_large_or_comes_off_the_subject_stays() -> None:
    frames, alphas = still_clip(6)
    changed = [alpha.copy() for alpha in alphas]
    changed[2][4:14, 4:14] = 1  # large
    changed[4][20:88, 118:124] = 0  # what is right of it comes off, and hangs together again
    odd = [Alpha(alpha) for alpha in changed]
    assert all(same(run(frames, odd), odd))


def test_a_small_thing_that_moves_stays_and_one_that_flashes_does_not() -> None:
    frames, alphas = moving_clip(step=3, count=12)
    thing = [disc(60 + 3 * n, 54, 3) for n in range(12)]  # on the texture that moves along
    assert all(same(run(frames, thing), thing))
    flashes = [disc(60 + 3 * n, 54, 3 if n % 3 else 0) for n in range(12)]
    assert max(float(alpha.max()) for alpha in run(frames, flashes)) == 0
    speckled = marked(alphas, [5])
    assert all(same(run(frames, speckled), alphas))


def test_parts_begin_anew_with_a_scene() -> None:
    frames, alphas = still_clip(8)
    frames[4:] = [dark_scene(frame) for frame in frames[4:]]
    speckled = marked(alphas, [2, 3, 4, 5])
    assert all(same(run(frames, speckled), alphas))


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (37, 53), (700, 9), (331, 641)])
def test_frames_of_any_size(shape: tuple[int, int]) -> None:
    frames = [Image(np.full((*shape, 3), 60, np.uint8))] * 4
    alphas = [Alpha(np.full(shape, value, np.float32)) for value in (0, 0.5, 1, 0)]
    assert all(same(run(frames, alphas), alphas))


def test_a_pixel_of_a_large_frame_is_a_fleck_alone() -> None:
    frames = [Image(resize(frame, 331, 641)) for frame in still_clip(5)[0]]
    alphas = [Alpha(resize(disc(96, 54, 30), 331, 641))] * 5
    speckled = [alpha.copy() for alpha in alphas]
    speckled[2][330, 640] = speckled[2][3, 3] = 1
    assert all(same(run(frames, [Alpha(alpha) for alpha in speckled]), alphas))


def test_frames_wait_as_long_as_memory_allows() -> None:
    assert despeckling_delay(2, (720, 1280)) == 2
    assert despeckling_delay(12, (720, 1280)) == 8
    assert despeckling_delay(2, (2160, 3840)) == 1
    assert despeckling_delay(3, (1, 1)) == 3
