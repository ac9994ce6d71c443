from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import matte
from matte.arrays import Alpha, Confidence, Image, Trimap
from matte.configs.settings import Config, SegmentationSettings, TrimapSettings
from matte.errors import MatteError
from matte.pipeline.budget import Budget
from matte.pipeline.line import Prior, TrimapFree, TwoStage
from matte.pipeline.subject_masks import SubjectMask
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation
from tests.fakes import BrightIsAlpha, two_stage
from tests.pipeline.contract import ALPHA, BAND, IMAGE, LineContract, Opposes


class TestTwoStage(LineContract):
    def line(self, config: Config) -> TwoStage:
        return two_stage(config)

    def test_each_stage_is_timed(self) -> None:
        assert set(two_stage(BAND).run(IMAGE).report["ms"]) == {"segment", "trimap", "refine"}
        hard = Confidence((ALPHA >= 0.5).astype(np.float32))
        result = two_stage(BAND).run(IMAGE, Prior(Segmentation(hard)))
        assert set(result.report["ms"]) == {"trimap", "refine"}


class Soft:
    """Segments with alpha itself: unsure for some pixels around the edge."""

    network = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        return Segmentation(Confidence(ALPHA))


def test_a_soft_confidence_limits_the_refiner() -> None:
    """A segmenter that is sure within the band leaves the refiner nothing to say there."""
    auto = TrimapSettings(k="auto")
    line = TwoStage(Soft(), SegmentationSettings(), auto, Opposes(), Budget(0))
    result = line.run(IMAGE)
    assert result.trimap is not None
    surely = (result.trimap == 128) & (ALPHA == 1)
    assert surely.any()
    assert (result.alpha[surely] == 1).all()


def test_the_refiner_is_believed_in_photos_where_it_looks_righter() -> None:
    """A frame is limited to what the segmenter sees: too little of the disc."""
    bitten = ALPHA.copy()
    bitten[26:38, 42:] *= np.float32(0.4)

    class TooLittle(Soft):
        def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
            return Segmentation(Confidence(bitten))

    class IsRight(Opposes):
        def refine(
            self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT
        ) -> Refined:
            return Refined(Alpha(ALPHA.copy()))

    auto = TrimapSettings(k="auto")
    line = TwoStage(TooLittle(), SegmentationSettings(), auto, IsRight(), Budget(0))
    photo, frame = line.run(IMAGE).alpha, line.run(IMAGE, Prior(is_frame=True)).alpha
    assert np.abs(photo - ALPHA).sum() < 0.2 * np.abs(frame - ALPHA).sum()


@pytest.mark.parametrize("from_segmenter", [False, True], ids=["own mask", "frame of a clip"])
def test_a_filled_hole_is_filled_in_alpha(from_segmenter: bool) -> None:
    holed = ALPHA.copy()
    holed[30:34, 38:42] = 0.1
    prior = Prior(Segmentation(Confidence(holed)), from_segmenter=from_segmenter)
    filled = SegmentationSettings(fill_holes=0.1)
    line = TwoStage(Soft(), filled, TrimapSettings(k="auto"), Opposes(), Budget(0))
    inside = np.s_[28:36, 36:44]
    assert (line.run(IMAGE, prior).alpha[inside] == 1).all()
    unfilled = replace(line, segmentation=SegmentationSettings())
    assert (unfilled.run(IMAGE, prior).alpha[inside] == 0).any()


def test_a_modnet_takes_neither_mask_nor_trimap() -> None:
    line = TrimapFree(BrightIsAlpha())
    assert set(line.run(IMAGE).report["ms"]) == {"matte"}
    for given in (
        Prior(Segmentation(Confidence(ALPHA))),
        Prior(trimap=Trimap(np.zeros((64, 80), np.uint8))),
        Prior(subject_mask=SubjectMask(np.ones((64, 80), np.bool_))),
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
        "segmenter": "subject",
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
        matte.load(refiner="guided")(np.zeros((8, 8, 3), np.int32))
