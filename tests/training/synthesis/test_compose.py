import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matte.training.synthesis.compose import compose_layer, compress_as_jpeg, merge_layers
from matte.training.synthesis.layers import Layer, hair_colours

seeds = st.integers(0, 2**32 - 1)


def random_layer(random: np.random.Generator) -> Layer:
    colours = random.integers(0, 256, (9, 11, 3), np.uint8)
    return Layer(colours, random.integers(0, 256, (9, 11), np.uint8))


@given(seeds)
def test_two_layers_as_one_look_as_one_over_the_other(seed: int) -> None:
    random = np.random.default_rng(seed)
    front, back = random_layer(random), random_layer(random)
    background = random.integers(0, 256, (9, 11, 3), np.uint8)
    one = compose_layer(merge_layers(front, back), background)
    other = compose_layer(front, compose_layer(back, background))
    assert np.abs(one.astype(int) - other).max() <= 3


@given(seeds)
def test_composing_is_the_weighted_sum(seed: int) -> None:
    random = np.random.default_rng(seed)
    layer, background = random_layer(random), random.integers(0, 256, (9, 11, 3), np.uint8)
    a = layer.alpha[:, :, None] / 255
    wanted = a * layer.colours + (1 - a) * background
    assert np.abs(compose_layer(layer, background) - wanted).max() < 0.6


def test_a_jpeg_is_near_and_not_the_same() -> None:
    picture = hair_colours(64, 64, np.random.default_rng(0))
    stored = compress_as_jpeg(picture, np.random.default_rng(0))
    assert not np.array_equal(stored, picture)
    assert np.abs(stored.astype(int) - picture).mean() < 12
