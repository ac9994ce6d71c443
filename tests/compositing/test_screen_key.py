import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.compositing.screen_key import (
    ScreenColour,
    colour_difference,
    key_screen,
    remove_spill,
)
from tests.compositing.screen_scene import BLOB, HAND, JERSEY, STUDIO, scene

COLOURS = np.array([[[40, 200, 60], [230, 210, 40], [200, 160, 130], [30, 60, 200]]], np.uint8)


@pytest.mark.parametrize("screen", ["green", "blue"])
def test_alpha_is_mended_by_the_screens_colour(screen: ScreenColour) -> None:
    image, seen, truth = scene(screen)
    before = seen.copy()
    found = key_screen(image, seen, screen)
    assert np.array_equal(seen, before)
    assert found.dtype == np.float32
    assert found[BLOB][3:, 8:].max() == 0
    assert found[HAND][2:-2, :-3].min() > 0.95
    assert found[JERSEY].min() > 0.999
    assert found[STUDIO].max() < 0.01
    assert np.abs(found - truth).mean() < np.abs(seen - truth).mean() / 10
    edge = (truth > 0.05) & (truth < 0.95)
    assert np.abs(found - truth)[edge].mean() < 0.12 < np.abs(seen - truth)[edge].mean()


def test_deep_pictures_are_keyed_alike() -> None:
    image, seen, _ = scene()
    deep = Image((image.astype(np.uint16) * 257).astype(np.uint16))
    shallow = key_screen(image, seen, "green")
    assert np.abs(key_screen(deep, seen, "green") - shallow).max() < 1e-5


def test_without_a_screen_alpha_is_itself() -> None:
    image, seen, _ = scene()
    assert key_screen(image, seen, "blue") is seen
    grey = Image(np.full_like(image, 128))
    assert key_screen(grey, seen, "green") is seen


def test_what_is_large_or_cut_off_is_not_added() -> None:
    image, seen, _ = scene()
    changed = image.copy()
    changed[130:180, 200:320] = 90  # a table that the subject touches, up to the frame's edge
    found = key_screen(Image(changed), seen, "green")
    assert found[140:170, 215:310].max() < 0.05
    changed = image.copy()
    changed[42:100, 203:300] = 90  # larger than a hand
    assert key_screen(Image(changed), seen, "green")[45:95, 215:290].max() < 0.1


def test_alpha_stays_where_it_is_to_be_kept() -> None:
    image, seen, _ = scene()
    kept = np.zeros(seen.shape, np.bool_)
    kept[BLOB] = True
    found = key_screen(image, seen, "green", kept)
    assert np.array_equal(found[kept], seen[kept])
    assert np.array_equal(found[~kept], key_screen(image, seen, "green")[~kept])


def test_garbage_leaves_no_outline() -> None:
    image, _, truth = scene()
    stand = np.zeros_like(truth)
    stand[40:, 250:256] = stand[30:50, 240:266] = 1  # a lamp that nobody took for the subject
    share = cv2.GaussianBlur(stand, (0, 0), 1.2)[:, :, None]
    changed = np.asarray(image * (1 - share) + 40 * share, np.uint8)
    found = key_screen(Image(changed), Alpha(truth), "green")
    assert found[:, 238:270].max() < 0.01
    assert np.abs(found - truth)[:, :230].mean() < 0.01


def test_the_difference_is_by_the_colours_range() -> None:
    found = colour_difference(Image(COLOURS), "green")
    assert (255 * found[0]).tolist() == pytest.approx([140, -20, -40, -140])
    assert colour_difference(Image(COLOURS), "blue")[0, 3] == pytest.approx(140 / 255)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_nothing_stays_greener_than_it_is_red_or_blue(dtype: type[np.unsignedinteger]) -> None:
    found = remove_spill(Image(COLOURS.astype(dtype)), "green")
    assert found.dtype == dtype
    assert found[0].tolist() == [[40, 60, 60], [230, 210, 40], [200, 160, 130], [30, 60, 200]]
    assert remove_spill(Image(COLOURS), "blue")[0, 3].tolist() == [30, 60, 60]
