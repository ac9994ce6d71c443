import numpy as np

from matte.training.synthesis.drawn import draw_layer
from matte.training.synthesis.sources import Backgrounds

BLUE = (0, 0, 255)
PHOTOS = Backgrounds((np.full((50, 70, 3), BLUE, np.uint8),), plain=0, blurred=0, alike=0)


def test_some_layers_have_a_photos_colours_and_some_have_others() -> None:
    layers = [draw_layer(24, 32, PHOTOS, np.random.default_rng(seed)) for seed in range(30)]
    for layer in layers:
        assert (layer.colours.shape, layer.alpha.shape) == ((24, 32, 3), (24, 32))
    of_photos = sum(bool((layer.colours == BLUE).all()) for layer in layers)
    assert 5 < of_photos < 25


def test_the_generator_decides_everything() -> None:
    one, other = (draw_layer(24, 32, PHOTOS, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.colours, other.colours)
    assert np.array_equal(one.alpha, other.alpha)
