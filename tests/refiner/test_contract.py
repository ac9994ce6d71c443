"""What every refiner keeps: one inherited test for each of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Image, Trimap, as_trimap
from matte.errors import PictureError
from matte.refiner.closed_form import ClosedForm
from matte.refiner.guided import Guided
from matte.refiner.smooth import Smooth
from matte.stages import Refiner
from tests.conftest import disc
from tests.tolerances import REFINED, REFINED_BLIND

# PyMatting compiles at its first import and says so.
pytestmark = pytest.mark.filterwarnings("ignore:PyMatting compiles")


def band(alpha: Alpha) -> Trimap:
    """Unknown where alpha is soft, and a little beyond."""
    import cv2

    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    wide = cv2.dilate(soft, np.ones((5, 5), np.uint8)) > 0
    return Trimap(np.where(wide, UNKNOWN, np.where(alpha > 0.5, 255, 0)).astype(np.uint8))


class RefinerContract:
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


class TestClosedForm(RefinerContract):
    refiner = ClosedForm

    @pytest.mark.parametrize(("value", "missing"), [(0, "subject"), (255, "background")])
    def test_one_sided_trimaps_are_refused(self, value: int, missing: str) -> None:
        trimap = np.full((9, 9), UNKNOWN, np.uint8)
        trimap[0] = value
        with pytest.raises(PictureError, match=f"no sure {missing}: "):
            ClosedForm().refine(Image(np.zeros((9, 9, 3), np.uint8)), Trimap(trimap))

    def test_a_class_far_from_the_band_is_found(self) -> None:
        trimap = np.zeros((80, 80), np.uint8)
        trimap[:5, :5], trimap[60:70, 60:70] = 255, UNKNOWN
        image = np.zeros((80, 80, 3), np.uint8)
        found = ClosedForm().refine(Image(image), Trimap(trimap)).alpha
        assert found[65, 65] < 0.1


class TestSmooth(RefinerContract):
    refiner = Smooth
    apart = REFINED_BLIND
