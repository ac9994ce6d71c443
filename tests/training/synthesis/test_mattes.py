import numpy as np
import pytest

from matte.training.synthesis.mattes import KINDS, draw_alpha


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_solid_or_soft_parts_and_empty_ones(kind: str) -> None:
    draw, _ = KINDS[kind]
    for seed in range(5):
        alphas = [draw(72, 104, np.random.default_rng(seed)) for _ in range(2)]
        assert np.array_equal(alphas[0], alphas[1])
        assert alphas[0].shape == (72, 104)
        assert alphas[0].dtype == np.uint8
    many = np.stack([draw(72, 104, np.random.default_rng(seed)) for seed in range(12)])
    soft = ((many > 8) & (many < 247)).mean()
    assert 0.005 < soft < 0.9
    assert (many < 8).mean() > 0.05
    assert (many > 60).mean() > 0.005


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (33, 7)])
def test_any_size_can_be_drawn(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    for draw, _ in KINDS.values():
        assert draw(*shape, random).shape == shape
    assert draw_alpha(*shape, random).shape == shape
