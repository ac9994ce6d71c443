"""What every refiner keeps: one inherited test for each of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Image, Trimap, as_trimap
from matte.stages import Refiner
from tests.conftest import disc
from tests.tolerances import REFINED


def band(alpha: Alpha) -> Trimap:
    """Unknown where alpha is soft, and a little beyond."""
    import cv2

    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    wide = cv2.dilate(soft, np.ones((5, 5), np.uint8)) > 0
    return Trimap(np.where(wide, UNKNOWN, np.where(alpha > 0.5, 255, 0)).astype(np.uint8))


class RefinerContract:
    """Inherited by the tests of each refiner."""

    refiner: type[Refiner]
    apart = REFINED  # from a known alpha, on average in the band

    @pytest.mark.parametrize("shape", [(96, 128), (97, 61), (40, 333)])
    def test_finds_a_known_alpha(self, shape: tuple[int, int]) -> None:
        image, alpha = disc(*shape)
        trimap = band(alpha)
        found = self.refiner().refine(image, trimap).alpha
        assert found.dtype == np.float32
        assert found.shape == shape
        assert np.abs(found - alpha)[trimap == UNKNOWN].mean() < self.apart

    def test_keeps_what_the_trimap_knows_and_its_inputs(self) -> None:
        image, alpha = disc(60, 50)
        trimap = band(alpha)
        before = image.copy(), trimap.copy()
        found = self.refiner().refine(image, trimap).alpha
        assert (found[trimap == 0] == 0).all()
        assert (found[trimap == 255] == 1).all()
        assert (found >= 0).all()
        assert (found <= 1).all()
        assert np.array_equal(image, before[0])
        assert np.array_equal(trimap, before[1])

    def test_depth_does_not_matter(self) -> None:
        image, alpha = disc(60, 50)
        deep = Image(image.astype(np.uint16) * 257)
        shallow_alpha = self.refiner().refine(image, band(alpha)).alpha
        assert np.allclose(self.refiner().refine(deep, band(alpha)).alpha, shallow_alpha, atol=1e-4)

    def test_is_deterministic(self) -> None:
        image, alpha = disc(60, 50)
        refiner = self.refiner()
        first = refiner.refine(image, band(alpha)).alpha
        assert np.array_equal(refiner.refine(image, band(alpha)).alpha, first)

    @pytest.mark.parametrize(
        "trimap", [np.zeros((3, 4)), np.full((3, 4), 255), np.array([[0, 255]])]
    )
    def test_no_unknown_is_an_answer(self, trimap: NDArray[np.int64]) -> None:
        known = as_trimap(trimap.astype(np.uint8))
        image = Image(np.zeros((*known.shape, 3), np.uint8))
        assert np.array_equal(self.refiner().refine(image, known).alpha, known / np.float32(255))
