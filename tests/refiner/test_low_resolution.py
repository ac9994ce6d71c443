"""Alpha that is found on a copy and brought to full size along the colours."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matte.arrays import UNKNOWN, Alpha, Image, Trimap
from matte.refiner.guided import Guided
from matte.refiner.low_resolution import LowResolutionRefiner
from matte.refiner.smooth import Smooth
from matte.stages import NO_CONTEXT, RefineContext, Refined
from tests.conftest import disc
from tests.refiner.conftest import Previous
from tests.refiner.contract import RefinerContract, band


class Half:
    """A guided filter on copies of half the size."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        return LowResolutionRefiner(Guided(), max(1, max(trimap.shape) // 2)).refine(image, trimap)


class Same:
    """A guided filter on pictures that are small enough."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        return LowResolutionRefiner(Guided(), max(trimap.shape)).refine(image, trimap)


class TestHalf(RefinerContract):
    refiner = Half

    def test_depth_does_not_matter(self) -> None:
        """But for what a copy is rounded to: 0.002 measured."""
        image, alpha = disc(60, 50)
        deep = Image(image.astype(np.uint16) * 257)
        shallow_alpha = Half().refine(image, band(alpha)).alpha
        assert np.allclose(Half().refine(deep, band(alpha)).alpha, shallow_alpha, atol=0.01)


class TestSame(RefinerContract):
    refiner = Same


class Recording:
    """A refiner that records the sizes of what it refines."""

    network = None

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.stale: list[NDArray[np.bool_]] = []

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        assert image.shape[:2] == trimap.shape
        self.shapes.append(trimap.shape)
        return Refined(Smooth().refine(image, trimap).alpha, self.report())

    def report(self) -> dict[str, Any]:
        return {}


class Resuming(Recording):
    """One that goes on from the previous alpha."""

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        if context.previous and (reusable := context.previous.warped_alpha(image, trimap)):
            assert image.shape[:2] == reusable.alpha.shape == reusable.stale.shape
            self.stale.append(reusable.stale)
        return super().refine(image, trimap)


class Reporting(Recording):
    """One that has something to report."""

    def report(self) -> dict[str, Any]:
        return {"way": "whole"}


def refine_stale(
    refiner: LowResolutionRefiner,
    image: Image,
    trimap: Trimap,
    before: Alpha,
    stale: NDArray[np.bool_],
) -> Alpha:
    return refiner.refine(image, trimap, RefineContext(Previous(before, stale))).alpha


def wide(height: int, width: int) -> tuple[Image, Trimap]:
    """A disc with a wide band."""
    image, alpha = disc(height, width)
    soft = ((alpha > 0) & (alpha < 1)).astype(np.uint8)
    unknown = cv2.dilate(soft, np.ones((25, 25), np.uint8)) > 0
    return image, Trimap(np.where(unknown, UNKNOWN, np.where(alpha > 0.5, 255, 0)).astype("u1"))


@pytest.mark.parametrize("shape", [(360, 640), (361, 641), (640, 359), (97, 1280), (720, 31)])
def test_the_refiner_sees_a_copy(shape: tuple[int, int]) -> None:
    image, trimap = wide(*shape)
    seen = Recording()
    found = LowResolutionRefiner(seen, 160).refine(image, trimap).alpha
    assert found.shape == shape
    assert found.flags.c_contiguous
    assert max(seen.shapes[0]) <= 160
    assert (found[trimap == 0] == 0).all()
    assert (found[trimap == 255] == 1).all()


def test_the_refiner_sees_what_is_around_the_band_only() -> None:
    image = Image(np.zeros((1000, 1000, 3), np.uint8))
    trimap = np.zeros((1000, 1000), np.uint8)
    trimap[500:520, 300:310], trimap[506:512, 304:306] = UNKNOWN, 255
    seen = Recording()
    LowResolutionRefiner(seen, 500).refine(image, Trimap(trimap))
    assert max(seen.shapes[0]) <= 64


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (50, 1), (300, 1), (1, 40000)])
def test_all_unknown_still_gives_alpha(shape: tuple[int, int]) -> None:
    trimap = Trimap(np.full(shape, UNKNOWN, np.uint8))
    found = (
        LowResolutionRefiner(Guided(), 4)
        .refine(Image(np.zeros((*shape, 3), np.uint8)), trimap)
        .alpha
    )
    assert found.shape == shape
    assert np.isfinite(found).all()


def test_edges_are_the_pictures_not_the_copys() -> None:
    """A step in the colours is a step in alpha, at a quarter of the size."""
    image = np.full((240, 320, 3), 40, np.uint8)
    image[:, 150:] = 210
    trimap = np.zeros((240, 320), np.uint8)
    trimap[:, 150:], trimap[:, 130:174] = 255, UNKNOWN
    found = LowResolutionRefiner(Guided(), 80).refine(Image(image), Trimap(trimap)).alpha
    assert found[:, 130:150].max() < 0.15  # 0.114 measured
    assert found[:, 150:174].min() > 0.85


def test_traces_are_cut() -> None:
    image, trimap = wide(240, 320)
    found = LowResolutionRefiner(Guided(), 160).refine(image, trimap).alpha
    assert (found > 0).any()
    assert found[found > 0].min() >= 1 / 510
    assert found[found < 1].max() <= 1 - 1 / 510


def test_only_what_is_stale_is_found_anew() -> None:
    image, trimap = wide(240, 320)
    inner = Resuming()
    refiner = LowResolutionRefiner(inner, 160)
    before = Alpha(np.full(trimap.shape, 0.25, np.float32))
    stale = np.zeros(trimap.shape, bool)
    stale[100:140] = True
    kept = before.copy(), stale.copy()
    found = refine_stale(refiner, image, trimap, before, stale)
    unknown = trimap == UNKNOWN
    assert np.abs(found - refiner.refine(image, trimap).alpha)[stale].max() < 0.01
    assert (found[unknown & ~stale] == 0.25).all()
    assert (found[trimap == 255] == 1).all()
    assert (found[trimap == 0] == 0).all()
    rows = inner.stale[0].any(axis=1)
    assert inner.shapes[0][0] < 120
    assert 20 <= rows.sum() <= 22
    assert np.array_equal(before, kept[0])
    assert np.array_equal(stale, kept[1])


@pytest.mark.parametrize("size", [160, 1000])
@pytest.mark.parametrize("inner", [Recording, Resuming])
def test_all_stale_is_all_anew(inner: type[Recording], size: int) -> None:
    image, trimap = wide(240, 320)
    refiner = LowResolutionRefiner(inner(), size)
    before = Alpha(np.zeros(trimap.shape, np.float32))
    found = refine_stale(refiner, image, trimap, before, np.ones(trimap.shape, bool))
    assert np.array_equal(found, refiner.refine(image, trimap).alpha)


def test_nothing_stale_asks_nobody() -> None:
    image, trimap = wide(240, 320)
    inner = Recording()
    before = Alpha(np.full(trimap.shape, 0.5, np.float32))
    nothing = np.zeros(trimap.shape, bool)
    found = refine_stale(LowResolutionRefiner(inner, 160), image, trimap, before, nothing)
    assert not inner.shapes
    assert (found[trimap == UNKNOWN] == 0.5).all()
    assert (found[trimap == 255] == 1).all()


def test_reports_tell_the_size() -> None:
    image, trimap = wide(240, 320)
    refiner = LowResolutionRefiner(Reporting(), 160)
    told = refiner.refine(image, trimap).report
    assert told["way"] == "whole"
    assert max(told["enlarged_from"].values()) <= 160
    assert LowResolutionRefiner(Reporting(), 1000).refine(image, trimap).report == {"way": "whole"}
    assert LowResolutionRefiner(Recording(), 1000).refine(image, trimap).report == {}
    known = Trimap(np.zeros((240, 320), np.uint8))
    assert refiner.refine(image, known).report == {}
