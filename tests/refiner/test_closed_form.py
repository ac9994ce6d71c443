import numpy as np
import pytest

from matte.arrays import UNKNOWN, Image, Trimap
from matte.errors import PictureError
from matte.refiner.closed_form import ClosedForm
from matte.watching import watched_by
from tests.refiner.contract import RefinerContract

# PyMatting compiles at its first import and says so.
pytestmark = pytest.mark.filterwarnings("ignore:PyMatting compiles")


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

    def test_whoever_watches_can_stop_it(self) -> None:
        trimap = np.full((40, 40), UNKNOWN, np.uint8)
        trimap[:3], trimap[37:] = 255, 0
        image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)

        def stop(stage: str, done: float) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError), watched_by(stop):
            ClosedForm().refine(Image(image), Trimap(trimap))
