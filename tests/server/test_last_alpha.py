"""What a stroke leaves as it was."""

import numpy as np

from matte.arrays import Alpha, Image, Trimap
from matte.server.last_alpha import REACH, LastAlpha, RefinedBefore
from matte.server.strokes import Stroke, draw_strokes


def test_only_the_surroundings_of_a_stroke_are_stale() -> None:
    image = Image(np.zeros((200, 300, 3), np.uint8))
    before = Trimap(np.full((200, 300), 128, np.uint8))
    alpha = Alpha(np.full((200, 300), 0.5, np.float32))
    last = LastAlpha(RefinedBefore(before, alpha))
    after = draw_strokes(before, [Stroke("subject", 2, ((100.0, 100.0),))])
    reusable = last.warped_alpha(image, after)
    assert reusable is not None
    assert reusable.stale[100, 100 + REACH]
    assert not reusable.stale[100, 100 + REACH + 6]
    last.update(alpha)
    assert last.after is not None
    assert last.after.trimap is after
    assert LastAlpha(None).warped_alpha(image, after) is None
    same = LastAlpha(RefinedBefore(before, alpha)).warped_alpha(image, before)
    assert same is not None
    assert not same.stale.any()
