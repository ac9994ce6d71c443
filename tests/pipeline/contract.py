"""What every line with a trimap keeps: one inherited test for each of them."""

from abc import abstractmethod
from dataclasses import replace

import numpy as np
import pytest

from matte.arrays import Alpha, Confidence, Image, Trimap
from matte.configs.settings import Config, TrimapSettings
from matte.pipeline.line import NO_SUBJECT, Line, Prior
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation
from tests.conftest import disc
from tests.fakes import BrightIsSubject, HalfUnknown

HEIGHT, WIDTH = 64, 80
IMAGE, ALPHA = disc(HEIGHT, WIDTH)
BAND = Config(trimap=TrimapSettings(k=3, iterations=2))
UNKNOWN_TRIMAP = Trimap(np.full((HEIGHT, WIDTH), 128, np.uint8))


class Opposes:
    """Refines to the opposite of the picture's brightness."""

    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        bright = BrightIsSubject().segment(image).confidence
        alpha = np.where(trimap == 128, 1 - bright, trimap > 128)
        return Refined(Alpha(alpha.astype(np.float32)))


class Reporting(HalfUnknown):
    """Refines as HalfUnknown, and reports how."""

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        return Refined(super().refine(image, trimap).alpha, {"method": "by halves"})


class LineContract:
    """Inherited by the tests of each line.

    Its segmenter is sure of what is brighter than half; unknown pixels become 0.5.
    """

    @abstractmethod
    def line(self, config: Config) -> Line:
        """The line with these settings, for pictures of HEIGHT × WIDTH."""

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_a_picture_goes_through_all_stages(
        self, dtype: type[np.uint8] | type[np.uint16]
    ) -> None:
        image = Image(IMAGE if dtype == np.uint8 else IMAGE.astype(np.uint16) * 257)
        result = self.line(BAND).run(image)
        assert result.mask is not None
        assert result.trimap is not None
        assert result.alpha.dtype == np.float32
        assert ((result.alpha == 0.5) == (result.trimap == 128)).all()
        assert result.doubt == ""
        assert result.report["unknown"] == pytest.approx((result.trimap == 128).mean(), abs=1e-5)
        assert result.report["band"] == "k = 3, 2 iterations, as asked"
        assert result.report["ms"]

    def test_inputs_stay_as_they_are_and_runs_are_alike(self) -> None:
        image = Image(IMAGE.copy())
        line = self.line(BAND)
        assert np.array_equal(line.run(image).alpha, line.run(image).alpha)
        assert np.array_equal(image, IMAGE)

    @pytest.mark.parametrize("bright", [0, 5])
    def test_less_than_a_thousandth_is_no_subject(self, bright: int) -> None:
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        image[0, :bright] = 255
        result = self.line(BAND).run(Image(image))
        assert result.doubt == NO_SUBJECT
        assert (result.alpha == 0).all()

    def test_a_given_mask_takes_the_segmenters_place(self) -> None:
        mask = Confidence(np.zeros((HEIGHT, WIDTH), np.float32))
        mask[20:50, 10:40] = 1
        result = self.line(BAND).run(IMAGE, Prior(Segmentation(mask)))
        assert result.mask is not None
        assert np.array_equal(result.mask == 255, mask == 1)
        assert "segment" not in result.report["ms"]

    def test_of_a_given_mask_a_speck_is_a_subject(self) -> None:
        mask = Confidence(np.zeros((HEIGHT, WIDTH), np.float32))
        assert self.line(BAND).run(IMAGE, Prior(Segmentation(mask))).doubt == NO_SUBJECT
        mask[3, 3] = 1
        result = self.line(BAND).run(IMAGE, Prior(Segmentation(mask)))
        assert result.doubt == "the trimap has no sure subject"

    def test_a_given_trimap_is_refined_as_it_is(self) -> None:
        result = self.line(BAND).run(IMAGE, Prior(trimap=UNKNOWN_TRIMAP))
        assert (result.alpha == 0.5).all()
        assert result.mask is None
        assert result.doubt == ""
        assert result.report["band"] == "as given"

    @pytest.mark.parametrize(
        ("k", "doubt"),
        [
            (1, "the trimap has nothing unknown"),
            (101, "the trimap has no sure subject"),
            (35, "78% of the trimap is unknown"),
        ],
    )
    def test_bands_that_nothing_can_come_of_are_doubted(self, k: int, doubt: str) -> None:
        config = Config(trimap=TrimapSettings(k=k, iterations=1))
        result = self.line(config).run(IMAGE)
        assert result.doubt == doubt
        assert result.mask is not None
        assert np.array_equal(result.alpha, result.mask / np.float32(255))
        assert "refined" not in result.report

    def test_another_refiner_takes_the_place_of_its_own(self) -> None:
        line = self.line(BAND)
        other = line.with_refiner(lambda _: Reporting())
        for prior in (Prior(), Prior(trimap=UNKNOWN_TRIMAP)):
            result, changed = line.run(IMAGE, prior), other.run(IMAGE, prior)
            assert result.report["refined"] == {}
            assert changed.report["refined"] == {"method": "by halves"}
            assert np.array_equal(changed.alpha, result.alpha)

    def test_a_hard_mask_does_not_limit_the_refiner(self) -> None:
        """It says nothing about the band that is drawn around it."""
        config = replace(BAND, trimap=TrimapSettings(k="auto"))
        line = self.line(config).with_refiner(lambda _: Opposes())
        hard = Confidence((ALPHA >= 0.5).astype(np.float32))
        result = line.run(IMAGE, Prior(Segmentation(hard)))
        assert result.trimap is not None
        unknown = result.trimap == 128
        bright = BrightIsSubject().segment(IMAGE).confidence
        assert np.array_equal(result.alpha[unknown], 1 - bright[unknown])

    def test_its_segmenter_stands_alone(self) -> None:
        segmenter = self.line(BAND).segmenter
        assert segmenter is not None
        expected = BrightIsSubject().segment(IMAGE).confidence
        assert np.array_equal(segmenter.segment(IMAGE).confidence, expected)
