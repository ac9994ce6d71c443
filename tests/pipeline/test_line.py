from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import matte
from matte.arrays import Alpha, Confidence, Image, Trimap
from matte.configs.settings import Config, SegmentationSettings, TrimapSettings
from matte.errors import MatteError
from matte.pipeline.budget import Budget
from matte.pipeline.line import NO_SUBJECT, Prior, TrimapFree, TwoStage
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation
from tests.conftest import disc
from tests.fakes import BrightIsAlpha, BrightIsSubject, HalfUnknown, two_stage

BAND = Config(trimap=TrimapSettings(k=3, iterations=2))
IMAGE, ALPHA = disc(64, 80)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_goes_through_all_stages(dtype: type[np.uint8] | type[np.uint16]) -> None:
    image = Image(IMAGE if dtype == np.uint8 else IMAGE.astype(np.uint16) * 257)
    found = two_stage(BAND).run(image)
    assert found.mask is not None
    assert found.trimap is not None
    assert ((found.alpha == 0.5) == (found.trimap == 128)).all()
    assert found.doubt == ""
    assert found.report["unknown"] == pytest.approx((found.trimap == 128).mean(), abs=1e-5)
    assert found.report["band"] == "k = 3, 2 iterations, as asked"
    assert set(found.report["ms"]) == {"segment", "trimap", "refine"}


def test_refiners_that_tell_are_heard() -> None:
    class Telling(HalfUnknown):
        def refine(
            self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT
        ) -> Refined:
            return Refined(super().refine(image, trimap).alpha, {"way": "by halves"})

    line = two_stage(BAND)
    trimap = Trimap(np.full((64, 80), 128, np.uint8))
    for given in (Prior(), Prior(trimap=trimap)):
        assert line.run(IMAGE, given).report["refined"] == {}
        told = replace(line, refiner=Telling()).run(IMAGE, given)
        assert told.report["refined"] == {"way": "by halves"}
        assert np.array_equal(told.alpha, line.run(IMAGE, given).alpha)


@pytest.mark.parametrize("bright", [0, 5])
def test_nobody_is_no_subject(bright: int) -> None:
    """Neither is a speck: less than a thousandth of the picture."""
    image = np.zeros((80, 100, 3), np.uint8)
    image[0, :bright] = 255
    found = two_stage(BAND).run(Image(image))
    assert found.doubt == NO_SUBJECT
    assert (found.alpha == 0).all()


def test_a_given_mask_takes_the_segmenters_place() -> None:
    given = Confidence(np.zeros((64, 80), np.float32))
    given[20:50, 10:40] = 1
    found = two_stage(BAND).run(IMAGE, Prior(Segmentation(given)))
    assert found.mask is not None
    assert np.array_equal(found.mask == 255, given == 1)
    assert set(found.report["ms"]) == {"trimap", "refine"}


def test_of_a_given_mask_a_speck_is_a_subject() -> None:
    given = Confidence(np.zeros((64, 80), np.float32))
    assert two_stage(BAND).run(IMAGE, Prior(Segmentation(given))).doubt == NO_SUBJECT
    given[3, 3] = 1
    assert (
        two_stage(BAND).run(IMAGE, Prior(Segmentation(given))).doubt
        == "the trimap has no sure subject"
    )


def test_a_given_trimap_is_refined_as_it_is() -> None:
    trimap = Trimap(np.full((64, 80), 128, np.uint8))
    found = two_stage(BAND).run(IMAGE, Prior(trimap=trimap))
    assert (found.alpha == 0.5).all()
    assert found.mask is None
    assert found.doubt == ""
    assert found.report["band"] == "as given"


@pytest.mark.parametrize(
    ("k", "doubt"),
    [
        (1, "the trimap has nothing unknown"),
        (101, "the trimap has no sure subject"),
        (35, "78% of the trimap is unknown"),
    ],
)
def test_bands_that_nothing_can_come_of_are_doubted(k: int, doubt: str) -> None:
    config = Config(trimap=TrimapSettings(k=k, iterations=1))
    found = two_stage(config).run(IMAGE)
    assert found.doubt == doubt
    assert "refine" not in found.report["ms"]


class Opposes:
    """Refines to the opposite of the picture's brightness."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        bright = BrightIsSubject().segment(image).confidence
        alpha = np.where(trimap == 128, 1 - bright, trimap > 128)
        return Refined(Alpha(alpha.astype(np.float32)))


class Soft:
    """Segments with alpha itself: unsure for some pixels around the edge."""

    network = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        return Segmentation(Confidence(ALPHA))


def test_a_hard_mask_leaves_the_refiner_its_say_and_a_soft_one_does_not() -> None:
    """A drawn mask says nothing about the band; a segmenter that is sure there does."""
    auto = TrimapSettings(k="auto")
    line = TwoStage(Soft(), SegmentationSettings(), auto, Opposes(), Budget(0))
    hard = Confidence((ALPHA >= 0.5).astype(np.float32))
    told = line.run(IMAGE, Prior(Segmentation(hard)))
    assert told.trimap is not None
    unknown = told.trimap == 128
    bright = BrightIsSubject().segment(IMAGE).confidence
    assert np.array_equal(told.alpha[unknown], 1 - bright[unknown])
    estimated = line.run(IMAGE)
    assert estimated.trimap is not None
    surely = (estimated.trimap == 128) & (ALPHA == 1)
    assert surely.any()
    assert (estimated.alpha[surely] == 1).all()


def test_a_modnet_takes_neither_mask_nor_trimap() -> None:
    line = TrimapFree(BrightIsAlpha())
    assert set(line.run(IMAGE).report["ms"]) == {"matte"}
    for given in (
        Prior(Segmentation(Confidence(ALPHA))),
        Prior(trimap=Trimap(np.zeros((64, 80), np.uint8))),
    ):
        with pytest.raises(MatteError, match="takes no mask and no trimap: leave them out"):
            line.run(IMAGE, given)


def test_the_shipped_line_on_the_sample(sample: Path) -> None:
    result = matte.load()(sample)
    assert result.alpha.shape == (512, 512)
    assert result.alpha.dtype == np.float32
    assert result.alpha[100:180, 195:250].mean() > 0.98
    assert result.alpha[20:140, 300:380].mean() < 0.03
    networks = result.report["networks"]
    assert {kind: row["name"] for kind, row in networks.items()} == {
        "segmenter": "person",
        "refiner": "gca-slim",
    }
    assert all(row["why"] for row in networks.values())
    assert all(len(row["sha256"]) == 64 for row in networks.values())
    assert result.report["settings"]["k"] == "auto"
    assert "fallback" not in result.report
    white = matte.composite(result.foreground, result.alpha, "white")
    assert (white[60, 350] > 230).all()


@pytest.mark.parametrize("overrides", [{"kk": 3}, {"k": -1}, {"refiner": "best"}, {"size": 1.5}])
def test_wrong_overrides_are_refused(overrides: dict[str, object]) -> None:
    with pytest.raises(MatteError):
        matte.load("balanced", **overrides)


def test_wrong_presets_and_pictures_are_refused() -> None:
    with pytest.raises(MatteError, match="no preset 'balance'"):
        matte.load("balance")
    with pytest.raises(MatteError, match="give uint8 or uint16"):
        matte.load(refiner="guided")(np.zeros((8, 8, 3)))
