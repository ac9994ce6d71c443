import numpy as np

from matte.imaging.box_filter import box_mean


def test_the_mean_over_a_window_mirrors_borders() -> None:
    values = np.zeros((4, 5), np.uint8)
    values[1, 1] = 9
    found = box_mean(values, 1)
    assert found.dtype == np.float32
    assert found[2, 2] == 1
    assert found[0, 0] == 4, "mirrored about the outermost pixels"
    assert found[3, 4] == 0
    assert box_mean(np.ones((2, 3, 3), np.float32), 4).shape == (2, 3, 3)
