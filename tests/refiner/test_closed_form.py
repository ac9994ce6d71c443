import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from matte.arrays import UNKNOWN, Image, Trimap
from matte.errors import PictureError
from matte.refiner import closed_form
from matte.refiner.closed_form import ClosedForm, closed_form_solver
from matte.watching import watched_by
from tests.refiner.contract import RefinerContract

# PyMatting's solver is compiled at its first use, which is said.
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


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PyMatting as before its first import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "pymatting"]:
        monkeypatch.delitem(sys.modules, name)
    closed_form._import_solver.cache_clear()
    yield
    closed_form._import_solver.cache_clear()


class NamesLookedFor(list[str]):
    """The first of the finders of modules: it finds none, and keeps their names."""

    def find_spec(self, name: str, *_: object) -> None:
        self.append(name)


@pytest.mark.usefixtures("forgotten")
def test_only_the_solver_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    names = NamesLookedFor()
    monkeypatch.setattr(sys, "meta_path", [names, *sys.meta_path])
    solver = closed_form_solver()
    assert solver.__module__ == "pymatting.alpha.estimate_alpha_cf"
    assert {name for name in names if name.startswith("pymatting.")} == {
        "pymatting.alpha.estimate_alpha_cf",
        "pymatting.laplacian.cf_laplacian",
        "pymatting.preconditioner.ichol",
        "pymatting.solver.cg",
        "pymatting.util.util",
    }
    assert not [name for name in sys.modules if name.startswith("pymatting")], "whole for others"
    assert closed_form_solver() is solver


@pytest.mark.usefixtures("forgotten")
def test_what_is_imported_already_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ModuleType("pymatting")
    monkeypatch.setattr(whole, "estimate_alpha_cf", sorted, raising=False)
    monkeypatch.setitem(sys.modules, "pymatting", whole)
    assert closed_form_solver() is sorted
    assert sys.modules["pymatting"] is whole


@pytest.mark.usefixtures("forgotten")
def test_of_a_pymatting_with_other_modules_all_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_other(name: str) -> ModuleType:
        if name != "pymatting":
            raise ModuleNotFoundError(name)
        assert name not in sys.modules, "the empty one is gone"
        return whole

    whole = ModuleType("pymatting")
    monkeypatch.setattr(whole, "estimate_alpha_cf", sorted, raising=False)
    monkeypatch.setattr(closed_form, "import_module", import_other)
    assert closed_form_solver() is sorted
