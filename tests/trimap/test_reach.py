import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Confidence, Mask, as_mask
from matte.imaging.resizing import resize
from matte.trimap import reach
from matte.trimap.reach import (
    BAND_LEVELS,
    DOUBT_LEVELS,
    FAR_SHARES,
    MAX_DRAWN_UNKNOWN_SHARE,
    Reach,
    confidence_band,
    even_band,
    has_soft_edge,
    learned_band,
    reach_for,
)
from tests.trimap.blobs import blob, sure

Floats = NDArray[np.float32]
SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
MASKS = arrays(np.bool_, SHAPES)
CONFIDENCES = arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32))


def edge(mask: Mask) -> NDArray[np.bool_]:
    """The pixels with one of the other kind beside them."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return np.asarray(cv2.dilate(mask, cross) != cv2.erode(mask, cross))


def test_a_learned_band_is_wide_where_the_edge_is_soft_and_holds_on_to_the_subject() -> None:
    mask = sure(blob(300, 400, 0.01))
    unknown = np.zeros((75, 100), np.float32)
    unknown[20:40, 60:90] = 0.8  # hair, from the disc outwards
    unknown[60:70, 5:15] = 0.9  # something else
    band = learned_band(mask, unknown, Reach(3, 12))
    assert band.min_probability == BAND_LEVELS[0]
    assert (band.trimap[90:150, 330:350] == UNKNOWN).all()
    assert not band.trimap[240:280, 20:60].any()
    narrow = even_band(mask, 3)
    left = slice(0, 200)
    assert np.array_equal(band.trimap[:, left], narrow[:, left])


def test_only_what_is_likelier_counts_where_the_learned_band_is_too_large() -> None:
    mask = sure(blob(300, 400, 0.01))
    unknown = np.full((75, 100), 0.5, np.float32)
    unknown[20:40, 60:90] = 0.7
    band = learned_band(mask, unknown, Reach(3, 12))
    assert band.min_probability == 0.6
    assert 0 < np.mean(band.trimap == UNKNOWN) <= MAX_DRAWN_UNKNOWN_SHARE


@given(MASKS, CONFIDENCES)
def test_a_learned_band_holds_the_edge_and_what_is_sure_agrees(
    subject: NDArray[np.bool_], unknown: Floats
) -> None:
    mask = as_mask(subject)
    trimap = learned_band(mask, unknown, reach_for(mask)).trimap
    assert (trimap[edge(mask)] == UNKNOWN).all()
    assert np.array_equal(trimap[trimap != UNKNOWN], mask[trimap != UNKNOWN])


@given(MASKS, st.floats(1, 40))
def test_a_band_holds_the_edge_and_what_is_sure_agrees(
    subject: NDArray[np.bool_], reach: float
) -> None:
    mask = as_mask(subject)
    trimap = even_band(mask, reach)
    assert (trimap[edge(mask)] == UNKNOWN).all()
    assert np.array_equal(trimap[trimap != UNKNOWN], mask[trimap != UNKNOWN])


@given(MASKS, st.floats(1, 15), st.floats(0, 15))
def test_a_longer_reach_takes_nothing_back(
    subject: NDArray[np.bool_], reach: float, more: float
) -> None:
    narrow, wide = (even_band(as_mask(subject), r) for r in (reach, reach + more))
    assert (wide[narrow == UNKNOWN] == UNKNOWN).all()


@given(CONFIDENCES)
def test_a_doubtful_band_holds_the_edge_and_what_is_sure_agrees(values: Floats) -> None:
    confidence = Confidence(values)
    mask = sure(confidence)
    trimap = confidence_band(mask, confidence, reach_for(mask)).trimap
    assert (trimap[edge(mask)] == UNKNOWN).all()
    assert np.array_equal(trimap[trimap != UNKNOWN], mask[trimap != UNKNOWN])


@pytest.mark.parametrize("shape", [(90, 120), (601, 397), (1200, 1600)])
@pytest.mark.parametrize("reach", [8.0, 40.0])
def test_the_reach_is_kept(shape: tuple[int, int], reach: float) -> None:
    """To a cell: where distances are measured coarsely, the band is rather too wide."""
    mask = np.zeros(shape, np.uint8)
    mask[:, shape[1] // 2 :] = 255
    unknown = even_band(as_mask(mask), reach) == UNKNOWN
    to_a_side = unknown[shape[0] // 2].sum() / 2
    assert reach - 1 <= to_a_side <= 1.1 * reach + 1


def test_a_large_picture_gets_what_a_small_one_gets() -> None:
    small = blob(300, 400, 0.01)
    large = Confidence(resize(small, 2400, 3200))
    shares = [
        (confidence_band(sure(c), c, reach_for(sure(c))).trimap == UNKNOWN).mean()
        for c in (small, large)
    ]
    assert shares[1] == pytest.approx(shares[0], rel=0.1)


def test_nothing_of_a_band_is_lost_at_reduced_size() -> None:
    """Single pixels and lines are seen, however coarse the cells."""
    mask = np.zeros((1500, 2000), np.uint8)
    mask[700, 100:1900] = mask[100, 150] = 255
    trimap = even_band(as_mask(mask), 60)
    assert (trimap[mask > 0] == UNKNOWN).all()


@pytest.mark.parametrize("shape", [(90, 120), (601, 397), (1201, 1599)])
def test_rows_taken_together_change_nothing(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    confidence = blob(*shape, 0.01)
    mask = sure(confidence)
    bands = []
    for rows in (1, 7, 64, 5000):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", rows * shape[1])
        bands.append(confidence_band(mask, confidence, reach_for(mask)).trimap)
        assert has_soft_edge(mask, confidence)
    assert all(np.array_equal(band, bands[0]) for band in bands)


def test_the_band_ends_where_the_interpolated_distance_does() -> None:
    """What is drawn a few rows at a time is what enlarging the distances as a whole gives."""
    beyond = np.random.default_rng(3).normal(0, 1, (37, 53)).astype(np.float32)
    mask = sure(blob(37 * 4 - 1, 53 * 4 - 3, 0.01))
    whole = np.where(resize(beyond, *mask.shape) <= 0, UNKNOWN, mask)
    assert np.array_equal(reach._trimap_from_distance(mask, beyond), whole)


def test_the_band_is_wider_where_the_segmenter_is_unsure() -> None:
    confidence = blob(300, 400, 0.002)
    softer = blob(300, 400, 0.03)
    confidence[:, 200:] = softer[:, 200:]
    mask = sure(confidence)
    unknown = confidence_band(mask, confidence, reach_for(mask)).trimap == UNKNOWN
    assert unknown[150, 200:].sum() > 2 * unknown[150, :200].sum()


def test_what_hangs_not_together_with_the_subject_is_background() -> None:
    confidence = blob(200, 400, 0.005)
    confidence[5:25, 5:25] = 0.4
    mask = sure(confidence)
    trimap = confidence_band(mask, confidence, reach_for(mask)).trimap
    assert (trimap[:30, :30] == 0).all()


def test_much_doubt_is_not_all_believed() -> None:
    """Where half of the picture is a little unsure, the level rises until the band is in bounds."""
    confidence = np.clip(blob(300, 400, 0.004), 0.15, 0.85)
    mask = sure(Confidence(confidence))
    found = confidence_band(mask, Confidence(confidence), reach_for(mask))
    assert found.min_doubt > DOUBT_LEVELS[0]
    assert (found.trimap == UNKNOWN).mean() <= MAX_DRAWN_UNKNOWN_SHARE


@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 1.0])
def test_one_confidence_everywhere_has_no_edge_to_find(value: float) -> None:
    confidence = Confidence(np.full((20, 30), value, np.float32))
    trimap = confidence_band(sure(confidence), confidence, Reach(2, 4)).trimap
    assert set(np.unique(trimap)) <= {0, UNKNOWN, 255}


def test_the_reach_grows_with_the_picture_and_the_subject() -> None:
    small, large = (reach_for(sure(blob(h, 4 * h // 3, 0.01))) for h in (600, 1200))
    assert large.far == pytest.approx(2 * small.far, rel=0.01)
    assert small.near < small.far <= FAR_SHARES[0] * 800
    far_away = np.zeros((600, 800), np.uint8)
    far_away[300:330, 400:410] = 255
    assert reach_for(as_mask(far_away)).far < small.far


def test_smoothed_masks_tell_no_doubt_and_segmenters_do() -> None:
    confidence = blob(300, 400, 0.01)
    mask = sure(confidence)
    hard = (mask / np.float32(255)).astype(np.float32)
    assert has_soft_edge(mask, confidence)
    assert not has_soft_edge(mask, Confidence(hard))
    assert not has_soft_edge(mask, Confidence(np.asarray(cv2.GaussianBlur(hard, (3, 3), 0))))
