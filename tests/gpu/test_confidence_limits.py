import numpy as np
import pytest
import torch

from matte.arrays import UNKNOWN, Alpha, Confidence, Trimap
from matte.gpu.confidence_limits import limit_by_confidence
from matte.refiner import confidence_limits as in_numpy
from tests.conftest import disc
from tests.tolerances import DEVICE


@pytest.mark.parametrize("threshold", [0.5, 0.3])
@pytest.mark.parametrize("hard", [False, True])
def test_alpha_is_limited_as_in_numpy(threshold: float, hard: bool) -> None:
    _, soft = disc(90, 120)
    confidence = (soft > 0.5).astype(np.float32) if hard else soft
    trimap = np.full(soft.shape, UNKNOWN, np.uint8)
    trimap[:10], trimap[40:50, 55:65] = 0, 255
    alpha = np.random.default_rng(0).random(soft.shape, np.float32)
    alpha[:, :60] = 0.5  # grey over a large area
    expected = in_numpy.limit_by_confidence(
        Alpha(alpha), Trimap(trimap), Confidence(confidence), threshold
    )
    a, t, c = (torch.from_numpy(x)[None, None] for x in (alpha, trimap, confidence))
    found = limit_by_confidence(a, t == UNKNOWN, c, threshold)[0, 0].numpy()
    assert np.abs(found - expected).mean() <= DEVICE
    assert np.array_equal(found, alpha) == hard
