import numpy as np
import pytest

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Confidence, Image, Mask, Trimap
from matte.refiner.alpha_errors import AlphaErrors
from matte.refiner.disputes import collect_disputes, settle_disputes
from tests.conftest import disc

HEIGHT, WIDTH = 200, 240


@pytest.fixture(scope="module")
def known() -> tuple[Image, Alpha]:
    """A disc on another colour, with a little noise, and its alpha."""
    image, alpha = disc(HEIGHT, WIDTH)
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return Image(np.clip(image + noise, 0, 255).astype(np.uint8)), alpha


def cut(alpha: Alpha) -> Alpha:
    """Return the alpha without a bite out of its right side."""
    found = alpha.copy()
    found[80:120, WIDTH // 2 + 20 :] = 0
    return Alpha(found)


def settled(image: Image, refined: Alpha, limited: Alpha) -> Alpha:
    """Return what of two alphas is believed, where the segmenter is unsure."""
    trimap = Trimap(np.full((HEIGHT, WIDTH), UNKNOWN, np.uint8))
    confidence = Confidence(np.clip(limited, 0.3, 0.7))
    mask = Mask(np.where(limited > 0.5, SUBJECT, 0).astype(np.uint8))
    return settle_disputes(image, trimap, confidence, mask, refined, limited)


def errors_of(image: Image, alpha: Alpha) -> AlphaErrors:
    """What the errors of an alpha are estimated by, where the segmenter found `alpha`."""
    mask = Mask(np.where(alpha > 0.5, SUBJECT, 0).astype(np.uint8))
    return AlphaErrors(image, Confidence(alpha), mask, np.ones(alpha.shape, np.bool_))


def test_the_refiner_is_believed_where_the_colours_speak_for_it(known: tuple[Image, Alpha]) -> None:
    image, truth = known
    found = settled(image, truth, cut(truth))
    assert np.abs(found - truth).mean() < 0.1 * np.abs(cut(truth) - truth).mean()


def test_the_limit_stays_where_they_speak_for_it(known: tuple[Image, Alpha]) -> None:
    image, truth = known
    assert np.array_equal(settled(image, cut(truth), truth), truth)


def test_each_part_is_decided_alone(known: tuple[Image, Alpha]) -> None:
    """The bite is wrong in the limited alpha, a cloud far from the disc in the refined one."""
    image, truth = known
    refined = truth.copy()
    cloud = np.random.default_rng(1).uniform(0.2, 0.9, (12, 12))
    refined[4:16, 4:16] = cloud
    found = settled(image, Alpha(refined), cut(truth))
    assert found[4:16, 4:16].max() == 0
    assert np.abs(found - truth)[80:120].mean() < 0.1 * np.abs(cut(truth) - truth)[80:120].mean()


def test_who_agrees_has_no_dispute(known: tuple[Image, Alpha]) -> None:
    image, truth = known
    assert settled(image, truth, truth) is truth
    near = Alpha(np.clip(truth * np.float32(0.95), 0, 1))
    assert settled(image, near, truth) is truth
    found = collect_disputes(errors_of(image, truth), near, truth)
    assert found.labels.max() == 0
    assert found.features.shape == (0, 8)


def test_features_say_which_alpha_has_more_of_them(known: tuple[Image, Alpha]) -> None:
    image, truth = known
    errors = errors_of(image, truth)
    found = collect_disputes(errors, cut(truth), truth)
    assert len(found.features) == 1
    unexplained, _, contradiction, stray = found.features[0, :4]
    assert unexplained > 1
    assert contradiction > 1
    assert -0.1 < stray < 0  # the soft edge lies partly outside the mask
    back = collect_disputes(errors, truth, cut(truth))
    np.testing.assert_allclose(back.features, -found.features, atol=1e-9)


@pytest.mark.parametrize("factor", [1, 4])
def test_large_pictures_are_compared_small(known: tuple[Image, Alpha], factor: int) -> None:
    def enlarge(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.repeat(np.repeat(array, factor, 0), factor, 1))

    image, truth = Image(enlarge(known[0])), Alpha(enlarge(known[1]))
    limited = Alpha(enlarge(cut(known[1])))
    trimap = Trimap(np.full(truth.shape, UNKNOWN, np.uint8))
    mask = Mask(np.where(limited > 0.5, SUBJECT, 0).astype(np.uint8))
    confidence = Confidence(np.clip(limited, 0.3, 0.7))
    found = settle_disputes(image, trimap, confidence, mask, truth, Alpha(limited.copy()))
    assert found.shape == truth.shape
    assert np.abs(found - truth).mean() < 0.1 * np.abs(limited - truth).mean()
    disputes = collect_disputes(errors_of(image, limited), truth, limited)
    assert max(disputes.labels.shape) <= 512
