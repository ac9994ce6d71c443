import numpy as np

from matte.training.synthesis.noise import layered_noise, smooth_noise


def test_noise_is_smooth_and_fills_its_range() -> None:
    random = np.random.default_rng(3)
    field = np.stack([smooth_noise(80, 120, 20, random) for _ in range(20)])
    assert np.abs(np.diff(field, axis=1)).max() < 0.25
    assert -1.6 < field.min() < -0.7
    assert 0.7 < field.max() < 1.6
    assert layered_noise(30, 40, 10, 4, random).dtype == np.float32


def test_hills_can_be_longer_than_wide() -> None:
    random = np.random.default_rng(0)
    slopes = []
    for _ in range(20):
        y, x = np.gradient(smooth_noise(60, 60, 8, random, long=6))
        # The spread of the gradients' directions: two equal values where hills are round.
        slopes.append(np.linalg.eigvalsh(np.cov(np.stack([x.ravel(), y.ravel()]))))
    across, along = np.mean(slopes, axis=0)[::-1]
    assert across > 5 * along
