import numpy as np

from matte.imaging.regions import bounding_box, region_depth


def test_bounding_box_holds_the_region_and_its_margin() -> None:
    region = np.zeros((20, 30), bool)
    region[5, 7] = region[9, 12] = True
    assert bounding_box(region) == (slice(5, 10), slice(7, 13))
    assert bounding_box(region, 6) == (slice(0, 16), slice(1, 19))
    assert bounding_box(np.zeros((3, 3), bool)) is None


def test_farthest_is_the_depth_of_the_region() -> None:
    region = np.zeros((40, 60), bool)
    region[10:21, :] = True
    assert abs(region_depth(region) - 6) < 0.5
    assert region_depth(np.ones((4, 9), bool)) == 9
