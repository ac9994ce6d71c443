import numpy as np

from matte.training.synthesis.strands import STRAND_POINTS, Strands, draw_strands


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
