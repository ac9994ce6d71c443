"""A photo's alpha refined again where its trimap was changed."""

import numpy as np

from matte.arrays import Alpha, Image, Trimap
from matte.refiner.changes import BLEND, REACH, blend_changes, changed_window
from matte.refiner.parts import COPY, part_plan
from matte.stages import ReusableAlpha

SIZE = (1200, 1500)
NONE = np.zeros(SIZE, bool)
ZERO = Alpha(np.zeros(SIZE, np.float32))


def reusable(scale: float = 1.0) -> ReusableAlpha:
    stale = NONE.copy()
    stale[600:610, 700:720] = True
    return ReusableAlpha(ZERO, stale, scale)


def test_the_window_holds_a_tile_around_what_changed() -> None:
    rows, columns = changed_window(reusable()) or (slice(0), slice(0))
    assert rows.start < 600 - REACH - BLEND
    assert columns.stop > 720 + REACH + BLEND
    assert changed_window(ReusableAlpha(ZERO, NONE, 1.0)) is None
    third = changed_window(reusable(1 / 3)) or (slice(0), slice(0))
    assert third[0].stop - third[0].start >= 480
    assert third[0].start % 3 == 0


def test_alpha_is_replaced_near_what_changed_and_kept_elsewhere() -> None:
    before = reusable()
    window = changed_window(before)
    assert window is not None
    trimap = Trimap(np.full(SIZE, 128, np.uint8)[window])
    ones = Alpha(np.ones(trimap.shape, np.float32))
    found = blend_changes(before, window, ones, trimap)
    assert found[605, 710] == 1
    assert found[605, 720 + REACH - 2] == 1
    assert 0 < found[605, 720 + REACH + BLEND // 2] < 1
    assert found[605, 720 + REACH + BLEND + 2] == 0
    assert not ZERO.any()
    known = Trimap(np.zeros(trimap.shape, np.uint8))
    assert not blend_changes(before, window, ones, known).any()


def test_a_part_is_refined_as_the_whole_was() -> None:
    image = Image(np.zeros((480, 600, 3), np.uint8))
    trimap = Trimap(np.full((480, 600), 128, np.uint8))
    plan = part_plan(image, trimap, 1 / 3)
    assert plan.method == COPY
    assert plan.copy is not None
    assert plan.copy.trimap.shape == (160, 200)
    assert part_plan(image, trimap, 1).copy is None
    small = part_plan(Image(image[:90]), Trimap(trimap[:90]), 1 / 3)
    assert small.tiling is None
