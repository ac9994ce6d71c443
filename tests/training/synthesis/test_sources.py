from dataclasses import replace

import numpy as np

from matte.datasets.samples import Sample
from matte.training.synthesis.layers import Layer
from matte.training.synthesis.sources import Backgrounds, prepare_subjects

Groups = tuple[list[Sample], list[Sample], list[Sample], list[Sample]]


def test_a_sample_that_comes_many_times_is_prepared_once(groups: Groups) -> None:
    one, other, one_again = prepare_subjects([groups[0][0], groups[0][1], groups[0][0]])
    assert one is one_again
    assert one is not other


def test_thin_masks_and_alphas_without_an_edge_are_left_out(groups: Groups) -> None:
    mask = groups[2][0]
    thin, solid = np.zeros_like(mask.truth), np.full_like(mask.truth, 255)
    thin[70:80] = 255
    samples = [replace(mask, truth=thin), mask, replace(groups[1][0], truth=solid)]
    (subject,) = prepare_subjects(samples)
    assert subject.rough
    assert subject.picture is mask.picture
    assert set(np.unique(subject.alpha)) == {0, 255}  # what a mask ignores is no subject


def test_soft_pixels_lie_at_the_edge(groups: Groups) -> None:
    (subject,) = prepare_subjects(groups[1][:1])
    assert not any(subject.cropped)
    random = np.random.default_rng(0)
    for _ in range(20):
        x, y = subject.random_soft_pixel(random)
        assert abs(np.hypot(x - 95, y - 75) - 45) < 10  # the disc's centre and radius


def test_backgrounds_have_the_size_and_if_alike_the_colour_of_their_layer() -> None:
    photos = (np.zeros((50, 70, 3), np.uint8),)
    layer = Layer(np.full((20, 30, 3), 200, np.uint8), np.full((20, 30), 255, np.uint8))
    random = np.random.default_rng(0)
    dark = Backgrounds(photos, plain=0, blurred=1, alike=0).draw_behind(layer, random)
    assert dark.shape == (20, 30, 3)
    assert dark.max() == 0
    alike = Backgrounds(photos, plain=0, blurred=0, alike=1).draw_behind(layer, random)
    assert 100 <= alike.min() <= alike.max() <= 200
    backdrop = Backgrounds((), plain=1, blurred=0, alike=0).draw_behind(layer, random)
    assert backdrop.shape == (20, 30, 3)
