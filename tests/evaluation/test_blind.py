import cv2
import numpy as np
import pytest

from matte.arrays import Alpha, Image, Trimap, as_trimap
from matte.evaluation.blind import BlindBaseline
from matte.evaluation.trimaps import trimaps_from_alpha
from tests.conftest import disc

NOTHING = Image(np.zeros((1, 1, 3), np.uint8))


def test_blind_steps_halfway() -> None:
    trimap = np.full((3, 40), 128, np.uint8)
    trimap[:, :4], trimap[:, 35:] = 0, 255
    alpha = BlindBaseline().refine(NOTHING, as_trimap(trimap)).alpha
    assert alpha.dtype == np.float32
    # 3 is the last background, 35 the first subject: 19 is as far from both.
    assert alpha[0, 18:21].tolist() == [0, 0.5, 1]
    assert set(np.unique(alpha)) == {0, 0.5, 1}


def test_blind_is_right_where_the_band_is_symmetric() -> None:
    """Why widths are drawn: the middle of a symmetric band is nearly the truth."""
    truth = Alpha((disc(192, 256)[1] > 0.5).astype(np.float32))
    mask = np.where(truth > 0.5, 255, 0).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (31, 31))
    eroded, dilated = cv2.erode(mask, kernel), cv2.dilate(mask, kernel)
    symmetric = as_trimap(np.select([eroded == 255, dilated == 0], [255, 0], 128).astype(np.uint8))

    def error(trimap: Trimap) -> float:
        found = BlindBaseline().refine(NOTHING, trimap).alpha
        return float(np.abs(found - truth)[trimap == 128].mean())

    drawn = [error(trimaps_from_alpha(15).draw(name, NOTHING, truth)) for name in "abcdefgh"]
    assert error(symmetric) < 0.05
    assert np.mean(drawn) > 3 * error(symmetric)


@pytest.mark.parametrize(("known", "expected"), [(0, 0), (255, 1), (128, 0.5)])
def test_blind_takes_the_only_side_there_is(known: int, expected: float) -> None:
    trimap = np.full((4, 5), 128, np.uint8)
    trimap[0] = known
    assert (BlindBaseline().refine(NOTHING, as_trimap(trimap)).alpha == expected).all()
