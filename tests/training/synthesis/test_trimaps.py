import cv2
import numpy as np
import pytest

from matte.training.synthesis.trimaps import _segmenter_trimap, random_trimap


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    disc = np.zeros((160, 200), np.uint8)
    cv2.circle(disc, (100, 80), 45, 255, -1)
    return np.asarray(cv2.GaussianBlur(disc, (0, 0), 2), np.uint8)


def test_trimaps_vary_and_mostly_tell_the_truth(alpha: np.ndarray) -> None:
    widths, wrong = [], 0
    for seed in range(150):
        trimap = random_trimap(alpha, np.random.default_rng(seed))
        assert trimap.shape == alpha.shape
        assert set(np.unique(trimap)) <= {0, 128, 255}
        assert (trimap == 128).any()
        widths.append((trimap == 128).mean())
        lies = ((trimap == 255) & (alpha < 250)) | ((trimap == 0) & (alpha > 5))
        wrong += bool(lies.any())
    assert max(widths) > 4 * min(widths)
    assert wrong < 150 * 0.35  # only a segmenter's band may miss soft pixels


def test_inner_and_outer_widths_are_independent(alpha: np.ndarray) -> None:
    inner, outer = [], []
    for seed in range(200):
        random = np.random.default_rng(seed)
        if random.random() < 0.2:
            continue
        trimap = random_trimap(alpha, np.random.default_rng(seed))
        inner.append((alpha >= 252).sum() - (trimap == 255).sum())
        outer.append((alpha <= 3).sum() - (trimap == 0).sum())
    assert abs(np.corrcoef(inner, outer)[0, 1]) < 0.75


def test_sometimes_nothing_of_the_subject_is_known(alpha: np.ndarray) -> None:
    drawn = [random_trimap(alpha, np.random.default_rng(seed)) for seed in range(100)]
    without = sum(not (trimap == 255).any() for trimap in drawn)
    assert 1 <= without < 30


def test_a_segmenter_s_band_follows_the_mask(alpha: np.ndarray) -> None:
    for seed in range(20):
        trimap = _segmenter_trimap(alpha, np.random.default_rng(seed))
        assert trimap[80, 100] != 0
        assert (trimap[:5] == 0).mean() > 0.9
        assert (trimap == 128).any()


@pytest.mark.parametrize("value", [0, 100, 255])
@pytest.mark.parametrize("shape", [(1, 1), (5, 90), (64, 64)])
def test_flat_alphas_have_trimaps_too(value: int, shape: tuple[int, int]) -> None:
    for seed in range(30):
        trimap = random_trimap(np.full(shape, value, np.uint8), np.random.default_rng(seed))
        assert trimap.shape == shape
        assert set(np.unique(trimap)) <= {0, 128, 255}
