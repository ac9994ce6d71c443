import numpy as np
import pytest

from matte.arrays import UNKNOWN, Image, Trimap
from matte.refiner.guided import Guided
from tests.refiner.contract import RefinerContract


class TestGuided(RefinerContract):
    refiner = Guided

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (50, 1)])
    def test_all_unknown_still_gives_alpha(self, shape: tuple[int, int]) -> None:
        trimap = Trimap(np.full(shape, UNKNOWN, np.uint8))
        found = Guided().refine(Image(np.zeros((*shape, 3), np.uint8)), trimap).alpha
        assert found.shape == shape
        assert np.isfinite(found).all()

    def test_a_wide_band_is_filled_from_its_sides(self) -> None:
        image = np.zeros((80, 200, 3), np.uint8)
        image[:, 90:] = 250
        trimap = np.full((80, 200), UNKNOWN, np.uint8)
        trimap[:, :8], trimap[:, -8:] = 0, 255
        found = Guided().refine(Image(image), Trimap(trimap)).alpha
        assert found[:, 8:80].mean() < 0.05
        assert found[:, 100:190].mean() > 0.95
