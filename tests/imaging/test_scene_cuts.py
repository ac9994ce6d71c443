import numpy as np
from numpy.typing import NDArray

from matte.imaging.flow import backward_flow, warp
from matte.imaging.scene_cuts import colour_difference, grey_correlation, is_cut
from tests.textures import clouds

Pixels = NDArray[np.uint8]


def cut(now: Pixels, before: Pixels) -> bool:
    now, before = np.ascontiguousarray(now), np.ascontiguousarray(before)
    return is_cut(now, before, warp(before, backward_flow(now, before)))


def warm(picture: Pixels) -> Pixels:
    return np.asarray(picture // np.array([1, 2, 4]), np.uint8)


def cool(picture: Pixels) -> Pixels:
    return np.asarray(picture // np.array([4, 2, 1]), np.uint8)


def test_another_scene_is_a_cut() -> None:
    assert cut(warm(clouds(90, 160, 1)), cool(clouds(90, 160, 2)))
    assert cut(warm(clouds(90, 160, 1)), np.zeros((90, 160, 3), np.uint8))


def test_light_is_none() -> None:
    scene = warm(clouds(90, 160, 1))
    flash = np.clip(scene * 0.5 + 110, 0, 255).astype(np.uint8)
    dark = np.asarray(scene // 3, np.uint8)
    assert colour_difference(flash, scene) > 0.9, "colours alone would say so"
    assert not cut(flash, scene)
    assert not cut(scene, flash)
    assert not cut(dark, scene)


def test_a_pan_is_none_however_fast() -> None:
    wide = warm(clouds(90, 900, 3))
    for step in (3, 20, 80):
        assert not cut(wide[:, step : step + 640], wide[:, :640])


def test_something_large_that_enters_is_none() -> None:
    scene = warm(clouds(90, 160, 1))
    entered = scene.copy()
    entered[:, :50] = (10, 20, 200)
    assert not cut(entered, scene)


def test_flat_pictures_have_the_same_shapes() -> None:
    black, white = np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)
    assert grey_correlation(black, white) == 1
    assert grey_correlation(clouds(18, 18)[:9, :9], white) == 0
    assert not is_cut(black, white, white), "a fade, as far as anybody can tell"
