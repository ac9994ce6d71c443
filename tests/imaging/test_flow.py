import cv2
import numpy as np
import pytest

from matte.arrays import Image
from matte.imaging.flow import (
    FLOW_LONG_SIDE,
    Flow,
    backward_flow,
    colour_agreement,
    flow_consistency,
    flow_copy,
    local_mean_colours,
    source_positions,
    warp,
    warp_labels,
)
from matte.imaging.sampling import sample_at
from tests.textures import clouds


def constant(height: int, width: int, x: float, y: float) -> Flow:
    return Flow(np.full((height, width, 2), (x, y), np.float32))


def test_flow_leads_back_to_where_things_were() -> None:
    wide = clouds(120, 240)
    before, now = wide[:, 20:220], wide[4:, 15:215]  # 5 to the right, 4 up
    flow = backward_flow(np.ascontiguousarray(now), np.ascontiguousarray(before[:116]))
    middle = flow[20:-20, 20:-20]
    assert np.median(middle[:, :, 0]) == pytest.approx(-5, abs=0.2)
    assert np.median(middle[:, :, 1]) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (31, 200), (32, 32), (33, 320)])
def test_any_size_has_a_flow(shape: tuple[int, int]) -> None:
    copy = np.full((*shape, 3), 90, np.uint8)
    flow = backward_flow(copy, copy)
    assert flow.shape == (*shape, 2)
    assert np.abs(flow).max() == 0


def test_small_copies_are_no_larger_than_they_must_be() -> None:
    assert flow_copy(Image(np.zeros((90, 2 * FLOW_LONG_SIDE, 3), np.uint8))).shape == (
        45,
        FLOW_LONG_SIDE,
        3,
    )
    assert flow_copy(Image(np.zeros((3, 5, 3), np.uint8))).shape == (3, 5, 3)
    assert flow_copy(Image(np.zeros((1, 3 * FLOW_LONG_SIDE, 3), np.uint8))).shape == (
        1,
        FLOW_LONG_SIDE,
        3,
    )
    deep = flow_copy(Image(np.full((2, 2, 3), 65535, np.uint16)))
    assert deep.dtype == np.uint8
    assert deep.min() == 255


def test_what_was_known_is_carried_at_any_size() -> None:
    mask = np.zeros((40, 80), np.float32)
    mask[10:20, 30:50] = 1
    moved = warp(mask, constant(20, 40, -3, 1))  # in pixels of a half: 6 right, 2 up
    expected = np.zeros_like(mask)
    expected[8:18, 36:56] = 1
    assert np.array_equal(moved, expected)
    assert warp(mask, constant(20, 40, 0, 0)) == pytest.approx(mask)
    colours = np.dstack([mask] * 3)
    assert np.array_equal(warp(colours, constant(20, 40, -3, 1))[:, :, 2], expected)


def test_few_pixels_are_sampled_as_all_would_be() -> None:
    random = np.random.default_rng(1)
    values = random.random((30, 50), np.float32)
    steps = cv2.blur(random.normal(0, 3, (15, 25, 2)).astype(np.float32), (9, 9))
    flow = Flow(np.asarray(steps, np.float32))
    at = np.flatnonzero(random.random((30, 50)) < 0.4)
    places, none = source_positions(flow, at, 30, 50)
    assert none.shape == (len(at), 0)
    assert sample_at(values, places) == pytest.approx(warp(values, flow).ravel()[at], abs=0.06)
    more = np.dstack([flow, np.full((15, 25, 2), (0.5, 0.25), np.float32)])
    same, others = source_positions(more, at, 30, 50)
    assert same == pytest.approx(places, abs=1e-4)
    assert others == pytest.approx(np.full((len(at), 2), (0.5, 0.25)))


def test_agreement_forgives_noise_and_nothing_else() -> None:
    grey = np.full((60, 60, 3), 120, np.uint8)
    random = np.random.default_rng(2)
    noisy = [np.rint(grey + random.normal(0, 3, grey.shape)).astype(np.uint8) for _ in range(2)]
    seen = [local_mean_colours(Image(frame)) for frame in noisy]
    assert colour_agreement(*seen).mean() > 0.99
    one_channel = grey.copy()
    one_channel[:, :, 1] += 20
    assert colour_agreement(grey, one_channel).max() == 0
    assert colour_agreement(one_channel, grey).max() == 0
    assert colour_agreement(grey[0], grey[0]).shape == (60,)


def test_ways_that_do_not_meet_are_told() -> None:
    back, forth = constant(40, 40, 3, 0), constant(40, 40, -3, 0)
    assert flow_consistency(back, forth).min() == 1
    assert flow_consistency(back, constant(40, 40, 0, 0)).max() == 0
    assert flow_consistency(back, constant(40, 40, -2, 0)).min() == pytest.approx(0.5)


def test_labels_are_warped_without_means() -> None:
    labels = np.zeros((40, 60), np.uint8)
    labels[10:20, 20:40] = 7
    moved = warp_labels(labels, constant(40, 60, -5.3, 2))
    assert set(np.unique(moved)) == {0, 7}
    assert moved[12, 30] == 7
    assert moved[12, 22] == 0
    assert (warp_labels(np.full((40, 60), 7, np.uint8), constant(40, 60, 9, 0))[:, -9:] == 0).all()
