"""What a stroke leaves as it was."""

import numpy as np

from matte.arrays import Alpha, Image, Trimap
from matte.server.last_alpha import LastAlpha, RefinedBefore, copy_scale
from matte.server.strokes import Stroke, draw_strokes

IMAGE = Image(np.zeros((200, 300, 3), np.uint8))
BEFORE = Trimap(np.full((200, 300), 128, np.uint8))
ALPHA = Alpha(np.full((200, 300), 0.5, np.float32))
AFTER = draw_strokes(BEFORE, [Stroke("subject", 2, ((100.0, 100.0),))])


def test_only_what_a_stroke_changed_is_stale() -> None:
    last = LastAlpha(RefinedBefore(BEFORE, ALPHA, 0.5))
    reusable = last.warped_alpha(IMAGE, AFTER)
    assert reusable is not None
    assert np.array_equal(reusable.stale, BEFORE != AFTER)
    assert reusable.copy_scale == 0.5
    assert last.update(ALPHA) is ALPHA
    kept = last.to_remember({"again": 0.1})
    assert kept is not None
    assert (kept.trimap is AFTER, kept.copy_scale) == (True, 0.5)


def test_where_nothing_is_known_all_is_refined() -> None:
    assert LastAlpha(None).warped_alpha(IMAGE, AFTER) is None
    whole = RefinedBefore(BEFORE, ALPHA, 0)
    assert LastAlpha(whole).warped_alpha(IMAGE, AFTER) is None
    other = RefinedBefore(Trimap(BEFORE[:50]), ALPHA, 1)
    assert LastAlpha(other).warped_alpha(IMAGE, AFTER) is None
    assert LastAlpha(None).to_remember({}) is None


def test_the_refiner_s_report_says_how_small_its_copy_was() -> None:
    assert copy_scale({"way": "whole"}, 900) == 0
    assert copy_scale({"way": "tiles"}, 900) == 1
    assert copy_scale({"way": "copy and tiles", "copy": {"width": 300}}, 900) == 1 / 3
    assert copy_scale({}, 900) == 0
