import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image, Mask
from matte.refiner.alpha_errors import AlphaErrors, AlphaFeatures
from tests.conftest import disc

WHOLE = np.ones((120, 160), bool)


def errors(image: Image, alpha: Alpha) -> AlphaErrors:
    """What is known of a picture whose segmenter finds the subject, softly."""
    mask = Mask((alpha > 0.5).astype(np.uint8) * 255)
    return AlphaErrors(image, Confidence(alpha), mask, WHOLE)


def test_the_truth_has_the_least_error() -> None:
    image, truth = disc(120, 160)
    noise = np.random.default_rng(0)
    rough = Image(np.clip(image + noise.normal(0, 4, image.shape), 0, 255).astype(np.uint8))
    estimate = errors(rough, truth)
    wrong = {
        "beside": np.roll(truth, 5, axis=1),
        "hole": truth * (np.indices(truth.shape).sum(axis=0) % 40 > 8),
        "noise": np.clip(truth + noise.normal(0, 0.3, truth.shape), 0, 1),
        "stray": np.maximum(truth, 0.5 * (np.arange(160) > 130)),
    }
    least = estimate.features(truth).log_error()
    for name, alpha in wrong.items():
        found = estimate.features(Alpha(alpha.astype(np.float32))).log_error()
        assert found > least + 0.3, name


def test_each_feature_is_what_it_says() -> None:
    image, truth = disc(120, 160)
    estimate = errors(image, truth)
    far = Alpha(truth.copy())
    far[:10, :10] = 1
    plain, stray = estimate.features(truth), estimate.features(far)
    assert stray.stray > plain.stray + 20
    assert plain.contradiction < 1 < 90 < stray.contradiction
    assert stray.unexplained > plain.unexplained + 1
    assert estimate.features(Alpha(np.ones_like(truth))).detail == pytest.approx(0, abs=1e-3)
    assert AlphaFeatures(2, 1, 1, 1).log_error() > AlphaFeatures(1, 1, 1, 1).log_error()
    assert AlphaFeatures(1, 2, 1, 1).log_error() < AlphaFeatures(1, 1, 1, 1).log_error()


@pytest.mark.parametrize("factor", [2, 3])
def test_size_and_depth_hardly_matter(factor: int) -> None:
    image, truth = disc(384, 512)
    alpha = Alpha(np.roll(truth, 4, axis=1))

    def difference(image: Image, truth: Alpha, alpha: Alpha) -> float:
        mask = Mask((truth > 0.5).astype(np.uint8) * 255)
        estimate = AlphaErrors(image, Confidence(truth), mask, np.ones(truth.shape, bool))
        found = [estimate.features(each).log_error() for each in (alpha, truth)]
        return found[0] - found[1]

    def enlarge(array: object) -> np.ndarray:
        return np.repeat(np.repeat(np.asarray(array), factor, 0), factor, 1)

    large = Image(enlarge(image).astype(np.uint16) * 257)
    told = difference(large, Alpha(enlarge(truth)), Alpha(enlarge(alpha)))
    assert told == pytest.approx(difference(image, truth, alpha), abs=0.02)
