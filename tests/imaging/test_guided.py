import numpy as np

from matte.imaging.guided import guided_filter

RANDOM = np.random.default_rng(3)
GUIDE = RANDOM.random((40, 50, 3), np.float32)
EVERYWHERE = np.ones((40, 50), bool)


def test_a_linear_function_of_the_guide_is_reproduced() -> None:
    target = (0.2 + GUIDE @ np.array([0.5, -0.2, 0.3])).astype(np.float32)
    out = guided_filter(GUIDE, target, np.ones_like(target), EVERYWHERE, 4, 1e-6)
    assert np.abs(out - target).max() < 1e-3


def test_pixels_without_weight_do_not_count() -> None:
    target = (0.2 + GUIDE @ np.array([0.5, -0.2, 0.3])).astype(np.float32)
    weight = (RANDOM.random(target.shape) < 0.5).astype(np.float32)
    spoilt = np.where(weight > 0, target, np.float32(99))
    out = guided_filter(GUIDE, spoilt, weight, EVERYWHERE, 4, 1e-6)
    assert np.abs(out - target).max() < 1e-2


def test_a_region_gets_what_the_whole_picture_gets() -> None:
    target = RANDOM.random((40, 50), np.float32)
    weight = np.ones_like(target)
    region = np.zeros((40, 50), bool)
    region[10:14, 3:30] = True
    whole = guided_filter(GUIDE, target, weight, EVERYWHERE, 3, 1e-3)
    part = guided_filter(GUIDE, target, weight, region, 3, 1e-3)
    assert np.allclose(part[region], whole[region], atol=1e-5)
    assert (part[~region] == 0).all()


def test_windows_may_be_larger_than_the_picture() -> None:
    out = guided_filter(
        GUIDE[:1, :2],
        np.ones((1, 2), np.float32),
        np.ones((1, 2), np.float32),
        EVERYWHERE[:1, :2],
        9,
        1e-3,
    )
    assert np.allclose(out, 1)
