import numpy as np
import pytest

from matte.imaging.guided_filter import GuidedWindows, guided_filter, local_linear_coefficients

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


def test_lines_tell_what_is_linear_in_the_colours() -> None:
    random = np.random.default_rng(8)
    guide = random.random((30, 40, 3)).astype(np.float32)
    target = (3 + guide @ np.array([2, -1, 0.5])).astype(np.float32)
    region = np.zeros((30, 40), bool)
    region[10:20, 5:30] = True
    lines = local_linear_coefficients(guide, target, region, 3, 1e-7)
    told = ((guide - 0.5) * lines[..., :3]).sum(axis=2) + lines[..., 3]
    assert told[region] == pytest.approx(target[region], abs=1e-3)


def test_lines_of_a_flat_picture_tell_the_mean() -> None:
    target = np.zeros((20, 20), np.float32)
    target[:, 10:] = 1
    everywhere = np.ones((20, 20), bool)
    lines = local_linear_coefficients(
        np.full((20, 20, 3), 0.3, np.float32), target, everywhere, 2, 1e-4
    )
    assert np.allclose(lines[..., :3], 0, atol=1e-4)
    assert lines[10, 9:11, 3].mean() == pytest.approx(0.5, abs=1e-3)


def test_what_colours_do_not_explain_of_a_target() -> None:
    even = np.ones((40, 50), np.float32)
    windows = GuidedWindows(GUIDE, even, EVERYWHERE, 3, 1e-6)
    linear = (0.2 + GUIDE @ np.array([0.5, -0.2, 0.3])).astype(np.float32)
    noise = RANDOM.random((40, 50), np.float32)
    whole, unexplained = windows.variances(linear)
    at = 20 * 50 + 25
    assert whole[at] == pytest.approx(linear[17:24, 22:29].var(), rel=1e-3)
    assert unexplained.max() < 1e-4
    whole, unexplained = windows.variances(noise)
    colours = np.c_[GUIDE[17:24, 22:29].reshape(-1, 3), np.ones(49)]
    values = noise[17:24, 22:29].ravel()
    rest = values - colours @ np.linalg.lstsq(colours, values, rcond=None)[0]
    assert unexplained[at] == pytest.approx((rest**2).mean(), rel=2e-2)
