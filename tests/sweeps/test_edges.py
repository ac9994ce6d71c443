import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.sweeps.edges import PictureEdges
from tests.conftest import disc


def test_agreement_is_high_on_the_pictures_edge_and_none_by_chance() -> None:
    image, alpha = disc(120, 160)
    noise = np.random.default_rng(0)
    rough = Image(np.clip(image + noise.normal(0, 6, image.shape), 0, 255).astype(np.uint8))
    edges = PictureEdges(rough, np.ones((120, 160), bool))
    exact = edges.agreement(alpha)
    beside = edges.agreement(Alpha(np.roll(alpha, 14, axis=1)))
    anywhere = edges.agreement(Alpha(noise.random((120, 160), np.float32)))
    assert exact is not None
    assert beside is not None
    assert anywhere is not None
    assert exact > 0.85
    assert beside < exact - 0.3
    assert abs(anywhere) < 0.05
    assert edges.agreement(Alpha(np.zeros((120, 160), np.float32))) is None


def test_agreement_does_not_reward_narrow_bands() -> None:
    image, truth = disc(120, 160)
    wrong = Alpha(
        (np.roll(truth, 10, axis=1) > 0.5).astype(np.float32)
    )  # all that a narrow one allows
    edges = PictureEdges(image, np.ones((120, 160), bool))
    narrow, wide = edges.agreement(wrong), edges.agreement(truth)
    assert narrow is not None
    assert wide is not None
    assert wide > narrow + 0.2


@pytest.mark.parametrize("factor", [1, 3])
def test_agreement_knows_no_depth_and_hardly_a_size(factor: int) -> None:
    image, alpha = disc(700, 1000)
    large = Image(np.repeat(np.repeat(image, factor, 0), factor, 1).astype(np.uint16) * 257)
    soft = Alpha(np.repeat(np.repeat(np.roll(alpha, 6, axis=1), factor, 0), factor, 1))
    region = np.zeros(soft.shape, bool)
    region[: 300 * factor] = True
    told = PictureEdges(large, region).agreement(soft)
    small = Alpha(np.roll(alpha, 6, axis=1))
    expected = PictureEdges(image, region[::factor, ::factor]).agreement(small)
    assert told == pytest.approx(expected, abs=0.02)
