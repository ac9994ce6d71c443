import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.following.record import DoubtfulMoment
from matte.clips.following.review import MAX_MOMENTS, ReviewSheet

IMAGE = Image(np.full((90, 160, 3), 200, np.uint8))
ALPHA = Alpha(np.zeros((90, 160), np.float32))


def moment() -> DoubtfulMoment:
    return DoubtfulMoment(1.0, 2.0, 0.3, "unsure")


def test_each_moment_is_shown_once_at_its_least_sure() -> None:
    sheet, one = ReviewSheet(), moment()
    sheet.offer(one, 0.4, 1.0, IMAGE, ALPHA)
    sheet.offer(one, 0.3, 1.1, Image(IMAGE // 2), ALPHA)
    sheet.offer(one, 0.5, 1.2, IMAGE, ALPHA)
    alone = sheet.draw()
    assert (alone[80, 90] == 30).all()  # the second one, darkened as nobody is there
    sheet.offer(moment(), 0.2, 9.0, IMAGE, ALPHA)
    assert sheet.draw().shape[1] > 1.9 * alone.shape[1]


def test_no_more_moments_are_kept_than_fit() -> None:
    sheet = ReviewSheet()
    for number in range(MAX_MOMENTS + 9):
        sheet.offer(moment(), number / 100, 1.0, IMAGE, ALPHA)
    assert sheet.draw().shape[0] < 13 * (320 * 90 / 160 + 40)


def test_a_sheet_without_moments_says_so() -> None:
    assert ReviewSheet().draw().ndim == 3
