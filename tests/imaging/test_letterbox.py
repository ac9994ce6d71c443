import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matte.arrays import Image
from matte.imaging.letterbox import PADDING_GREY, letterbox, unletterbox

SIDES = st.integers(1, 300)


@given(SIDES, SIDES, st.sampled_from([64, 96]))
@settings(deadline=None)
def test_pictures_fit_and_keep_their_proportions(height: int, width: int, size: int) -> None:
    image = Image(np.full((height, width, 3), 255, np.uint8))
    box = letterbox(image, size, size, 32)
    assert max(box.height, box.width) == size
    assert box.pixels.shape[0] % 32 == 0
    assert box.pixels.shape[1] % 32 == 0
    # No side is off by more than the rounding to whole pixels.
    scale = size / max(height, width)
    assert abs(box.height - height * scale) <= 0.5 or box.height == 1
    assert abs(box.width - width * scale) <= 0.5 or box.width == 1
    assert (box.pixels[: box.height, : box.width] == 1).all()
    assert (box.pixels[box.height :] == PADDING_GREY).all()
    assert (box.pixels[:, box.width :] == PADDING_GREY).all()


@given(SIDES, SIDES)
@settings(deadline=None)
def test_maps_come_back_at_the_pictures_size(height: int, width: int) -> None:
    image = Image(np.zeros((height, width, 3), np.uint16))
    box = letterbox(image, 64, 64)
    values = np.full(box.pixels.shape[:2], 0.25, np.float32)
    values[box.height :], values[:, box.width :] = 1, 1  # what lies on the padding is dropped
    back = unletterbox(values, box, height, width)
    assert back.shape == (height, width)
    assert np.allclose(back, 0.25)
