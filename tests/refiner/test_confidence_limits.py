import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Confidence, Trimap
from matte.refiner.confidence_limits import GREY_DISTANCE, MIN_CLOUD_SHARE, limit_by_confidence

SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
SHARES = st.floats(0, 1, width=32)
Floats = NDArray[np.float32]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Alpha, Trimap, Confidence]:
    shape = draw(SHAPES)
    alpha = draw(arrays(np.float32, shape, elements=SHARES))
    trimap = draw(arrays(np.uint8, shape, elements=st.sampled_from([0, UNKNOWN, 255])))
    confidence = draw(arrays(np.float32, shape, elements=SHARES))
    return Alpha(alpha), Trimap(trimap), Confidence(confidence)


def unknown_everywhere(shape: tuple[int, int]) -> Trimap:
    return Trimap(np.full(shape, UNKNOWN, np.uint8))


@given(cases(), st.floats(0.05, 0.95))
def test_alpha_stays_alpha_and_what_is_known_untouched(
    case: tuple[Alpha, Trimap, Confidence], threshold: float
) -> None:
    alpha, trimap, confidence = case
    before = alpha.copy(), trimap.copy(), confidence.copy()
    found = limit_by_confidence(alpha, trimap, confidence, threshold)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    assert (found <= 1).all()
    known = trimap != UNKNOWN
    assert np.array_equal(found[known], alpha[known])
    assert np.array_equal(alpha, before[0])
    assert np.array_equal(trimap, before[1])
    assert np.array_equal(confidence, before[2])


@given(cases())
def test_alpha_stays_within_what_confidence_leaves(
    case: tuple[Alpha, Trimap, Confidence],
) -> None:
    alpha, trimap, confidence = case
    inner = Confidence(np.clip(confidence, 0.01, 0.99))  # 0 and 1 alone would be a mask
    found = limit_by_confidence(alpha, trimap, inner, 0.5)
    band = trimap == UNKNOWN
    assert (found[band] <= 2 * inner[band] + 1e-5).all()
    assert (found[band] >= 2 * inner[band] - 1 - 1e-5).all()


@given(cases(), st.floats(0.05, 0.95))
def test_the_limit_fades_where_the_edge_is_soft(
    case: tuple[Alpha, Trimap, Confidence], threshold: float
) -> None:
    alpha, trimap, confidence = case
    height, width = alpha.shape
    limited = limit_by_confidence(alpha, trimap, confidence, threshold)
    free, not_free = (
        limit_by_confidence(alpha, trimap, confidence, threshold, np.full((3, 2), soft, np.float32))
        for soft in (0.9, 0.1)
    )
    assert np.allclose(free, alpha, atol=1e-6)
    assert np.array_equal(not_free, limited)
    across = np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, axis=0)
    found = limit_by_confidence(alpha, trimap, confidence, threshold, across)
    low, high = np.minimum(alpha, limited), np.maximum(alpha, limited)
    assert ((found >= low - 1e-5) & (found <= high + 1e-5)).all()


@given(cases(), st.floats(0.05, 0.95))
def test_a_confidence_at_the_threshold_changes_nothing(
    case: tuple[Alpha, Trimap, Confidence], threshold: float
) -> None:
    alpha, trimap, confidence = case
    undecided = Confidence(np.full_like(confidence, threshold))
    assert np.allclose(limit_by_confidence(alpha, trimap, undecided, threshold), alpha, atol=1e-5)


def test_a_half_changes_nothing_of_a_cloud() -> None:
    cloud = Alpha(np.full((80, 90), 0.4, np.float32))
    half = Confidence(np.full((80, 90), 0.5, np.float32))
    assert np.array_equal(
        limit_by_confidence(cloud, unknown_everywhere((80, 90)), half, 0.5), cloud
    )


@given(cases())
def test_a_mask_is_no_doubt(case: tuple[Alpha, Trimap, Confidence]) -> None:
    alpha, trimap, confidence = case
    hard = Confidence((confidence >= 0.5).astype(np.float32))
    assert np.array_equal(limit_by_confidence(alpha, trimap, hard, 0.5), alpha)


@pytest.mark.parametrize(("sure", "alpha"), [(0.001, 0.0), (0.999, 1.0)])
def test_what_the_segmenter_is_sure_of_it_decides(sure: float, alpha: float) -> None:
    refined = Alpha(np.full((30, 40), 1 - alpha, np.float32))
    confidence = Confidence(np.full((30, 40), sure, np.float32))
    found = limit_by_confidence(refined, unknown_everywhere((30, 40)), confidence, 0.5)
    assert np.abs(found - alpha).max() < 0.05


@pytest.mark.parametrize(("c", "decided"), [(0.35, 0), (0.65, 1)])
def test_clouds_are_decided_and_strands_are_not(c: float, decided: int) -> None:
    shape = (200, 300)
    alpha = np.full(shape, decided, np.float32)
    radius = round(MIN_CLOUD_SHARE * max(shape))
    alpha[20:80, 20:120] = 0.5
    alpha[150 : 150 + radius, 20:280] = 0.5
    confidence = Confidence(np.full(shape, c, np.float32))
    limited = np.clip(0.5, 2 * c - 1, 2 * c)
    found = limit_by_confidence(Alpha(alpha), unknown_everywhere(shape), confidence, 0.5)
    assert (found[30:70, 30:110] == decided).all()
    assert np.allclose(found[150 : 150 + radius, 150:250], limited)
    assert GREY_DISTANCE < limited < 1 - GREY_DISTANCE


def test_a_lower_threshold_leaves_more_to_the_subject() -> None:
    alpha = Alpha(np.ones((20, 30), np.float32))
    confidence = Confidence(np.full((20, 30), 0.3, np.float32))
    low, high = (
        limit_by_confidence(alpha, unknown_everywhere((20, 30)), confidence, threshold)
        for threshold in (0.2, 0.5)
    )
    assert (low >= high).all()
    assert (low == 1).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 3)])
def test_tiny_pictures_are_believed(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(2)
    alpha, confidence = (random.random(shape).astype(np.float32) for _ in range(2))
    found = limit_by_confidence(
        Alpha(alpha), unknown_everywhere(shape), Confidence(confidence), 0.5
    )
    assert found.shape == shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (201, 299)])
def test_strips_give_what_the_whole_gives(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(3)
    alpha, confidence = (random.random(shape).astype(np.float32) for _ in range(2))
    trimap = Trimap(random.choice(np.array([0, UNKNOWN, UNKNOWN, 255], np.uint8), shape))
    trimap[20:80, 20:120] = UNKNOWN  # a cloud
    alpha[20:80, 20:120] = 0.5
    found = []
    for pixels in (1 << 30, 1000):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", pixels)
        found.append(limit_by_confidence(Alpha(alpha), trimap, Confidence(confidence), 0.4))
    assert np.abs(found[0] - found[1]).max() < 1e-5
