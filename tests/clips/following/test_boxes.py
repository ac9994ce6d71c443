import numpy as np

from matte.clips.following.boxes import box_gap, box_height, box_of, paste, touches_side


def test_a_box_encloses_its_region() -> None:
    region = np.zeros((20, 30), np.bool_)
    region[4:9, 7:20] = True
    box = box_of(region)
    assert box.tolist() == [7, 4, 20, 9]
    assert box_height(box) == 5
    assert not touches_side(box, 30)
    assert touches_side(box, 21)


def test_the_gap_of_boxes_is_0_where_they_touch() -> None:
    one, other = np.array([0.0, 0, 10, 10]), np.array([14.0, 13, 20, 20])
    assert box_gap(one, other) == box_gap(other, one) == 7
    assert box_gap(one, one + 10) == 0


def test_what_is_pasted_is_cut_at_the_window() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3) + 1
    found = paste(values, np.array([4.0, 9, 0, 0]), (slice(10, 14), slice(5, 10)))
    assert found.shape == (4, 5)
    assert found[0].tolist() == [5, 6, 0, 0, 0]
    assert found.sum() == 11
    assert paste(values, np.array([90.0, 9, 0, 0]), (slice(0, 4), slice(0, 4))).sum() == 0
