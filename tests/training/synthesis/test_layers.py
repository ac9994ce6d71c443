import cv2
import numpy as np

from matte.training.synthesis.layers import (
    Layer,
    estimated_layer,
    hair_colours,
    mask_layer,
    relight,
)


def test_an_estimated_layer_holds_no_old_background() -> None:
    alpha = np.zeros((80, 80), np.uint8)
    cv2.circle(alpha, (40, 40), 22, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 4), np.uint8)
    a = alpha[:, :, None] / 255
    picture = np.rint(a * (200, 40, 40) + (1 - a) * (10, 220, 10)).astype(np.uint8)
    layer = estimated_layer(picture, alpha)
    near = cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 25
    assert np.abs(layer.colours[near].astype(int) - (200, 40, 40)).max() < 40
    # Far from the subject too: what resampling mixes in must be the subject's.
    assert layer.colours[0, 0, 0] > layer.colours[0, 0, 1]


def test_a_mask_s_layer_is_soft_and_keeps_within_the_subject() -> None:
    mask = np.zeros((90, 90), np.uint8)
    mask[20:70, 20:70] = 255
    picture = np.where(mask[:, :, None] > 0, (220, 30, 30), (0, 200, 0)).astype(np.uint8)
    for seed in range(20):
        layer = mask_layer(picture, mask, np.random.default_rng(seed))
        assert ((layer.alpha > 20) & (layer.alpha < 235)).any()
        assert layer.alpha[45, 45] == 255
        assert (layer.alpha[mask == 0] < 128).all()
        seen = layer.alpha > 25
        assert (layer.colours[seen][:, 0] > 150).all()
        assert (layer.colours[seen][:, 1] < 90).all()


def test_hair_has_one_colour_with_streaks() -> None:
    deviations = []
    for seed in range(20):
        colours = hair_colours(60, 80, np.random.default_rng(seed)).astype(float)
        assert colours.shape == (60, 80, 3)
        deviations.append(colours.mean(axis=2).std())
    assert 1 < np.mean(deviations) < 50
    assert min(deviations) > 0


def test_light_changes_colours_only() -> None:
    colours = hair_colours(9, 11, np.random.default_rng(0))
    layer = Layer(colours, np.full((9, 11), 200, np.uint8))
    lit = relight(layer, np.random.default_rng(1))
    assert lit.alpha is layer.alpha
    assert not np.array_equal(lit.colours, layer.colours)
