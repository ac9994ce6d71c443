import numpy as np
import pytest

from matte.training.synthesis.mattes import KINDS, draw_alpha
from matte.training.synthesis.noise import layered_noise, smooth_noise
from matte.training.synthesis.strands import STRAND_POINTS, Strands, draw_strands


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


def stroke(width: float, opacity: float = 1.0) -> np.ndarray:
    one = Strands(
        np.array([[5.0, 20.0]]),
        np.array([0.0]),
        np.array([50.0]),
        np.array([width]),
        np.array([0.0]),
        np.array([opacity]),
    )
    return draw_strands(one, 40, 60, np.random.default_rng(0))


def test_a_stroke_tapers() -> None:
    mass = stroke(3).astype(float).sum(axis=0)
    assert mass[10:15].mean() > 1.5 * mass[40:45].mean() > 0


def test_thin_strokes_are_faint_and_wide_ones_solid() -> None:
    assert stroke(3).max() > 240
    assert 0 < stroke(0.3).max() < 200
    assert stroke(3, opacity=0.25).max() < 100


def test_strokes_start_at_their_roots_and_have_their_length() -> None:
    random = np.random.default_rng(2)
    count = 20
    strands = Strands(
        random.uniform(0, 50, (count, 2)),
        random.uniform(-3, 3, count),
        random.uniform(5, 40, count),
        np.ones(count),
        random.normal(0, 1, count),
        np.ones(count),
    )
    points = strands.points(random)
    assert points.shape == (count, STRAND_POINTS, 2)
    assert np.allclose(points[:, 0], strands.roots)
    lengths = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    assert np.allclose(lengths, strands.lengths)


def test_noise_is_smooth_and_fills_its_range() -> None:
    random = np.random.default_rng(3)
    field = np.stack([smooth_noise(80, 120, 20, random) for _ in range(20)])
    assert np.abs(np.diff(field, axis=1)).max() < 0.25
    assert -1.6 < field.min() < -0.7
    assert 0.7 < field.max() < 1.6
    assert layered_noise(30, 40, 10, 4, random).dtype == np.float32
