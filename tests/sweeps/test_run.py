from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import UNKNOWN, Alpha, Image, Trimap
from matte.configs.settings import Config, SegmentationSettings, TrimapSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.pictures import Photo
from matte.refiner.guided import Guided
from matte.stages import NO_CONTEXT, RefineContext, Refined
from matte.sweeps.run import sweep, sweep_settings
from matte.trimap.drawing import draw_trimap
from matte.trimap.morphology import kernel_band
from tests.conftest import disc
from tests.sweeps.bright_line import Bright, kernels, line, sheet_of


def test_sweep_settings_is_each_kernel_with_each_iteration_and_each_width() -> None:
    bands = sweep_settings(k=[3, "auto", 3], iterations=[4, 6], width=["1%", "12"])
    assert [(b.k, b.iterations, str(b.width)) for b in bands] == [
        (3, 4, "None"),
        (3, 6, "None"),
        ("auto", 6, "None"),
        (7, 6, "1%"),
        (7, 6, "12"),
    ]
    assert [str(b.width) for b in sweep_settings(width=["12", "12px", "1%", "1.0%"])] == [
        "12",
        "1%",
    ]


def test_what_is_not_named_is_the_settings() -> None:
    base = TrimapSettings(k=5, iterations=2, shape="rect", erode=1, dilate=3)
    assert [b.k for b in sweep_settings(base=base)] == ["auto", 3, 7, 13]
    assert sweep_settings(k=[5], base=base) == (base,)
    (one,) = sweep_settings(iterations=[9], base=base)
    assert (one.k, one.iterations, one.erode, one.dilate, one.shape) == (5, 9, None, None, "rect")
    (kernel,) = sweep_settings(iterations=[9], base=TrimapSettings(k="auto"))
    assert kernel.k == 7
    with pytest.raises(SettingError, match="2500 settings: give at most 200"):
        sweep_settings(k=range(1, 51), iterations=range(1, 51))
    with pytest.raises(SettingError, match="k = 0: give 1 … 101, auto, or learned"):
        sweep_settings(k=[0])
    with pytest.raises(SettingError, match="k = 'autoo': give a whole number or 'auto', 'learned'"):
        sweep_settings(k=["autoo"])  # type: ignore[list-item]  # what is tested


def test_a_picture_is_segmented_once_and_refined_with_each_band() -> None:
    image, _ = disc(96, 128)
    segmenter, seen = Bright(), []
    bands = (*kernels(3, 5, iterations=[1, 2]), *sweep_settings(width=["4"]))
    found = sweep(image, bands, line(segmenter=segmenter), lambda *done: seen.append(done))
    assert segmenter.calls == 1
    assert seen[-1] == (5, 5)
    for band, trimap, alpha in zip(bands, found.trimaps, found.alphas, strict=True):
        confidence = Bright().segment(image).confidence
        assert np.array_equal(trimap, draw_trimap(found.mask, confidence, band).trimap)
        assert np.array_equal(alpha, Guided().refine(image, trimap).alpha)
    shares = [s.unknown for s in found.scores]
    assert shares == [pytest.approx((t == UNKNOWN).mean()) for t in found.trimaps]
    assert [s.band for s in found.scores] == list(bands)


def test_a_filled_hole_is_filled_with_every_band() -> None:
    image, _ = disc(96, 128)
    image[46:50, 62:66] = 0
    filled = replace(line(), segmentation=SegmentationSettings(fill_holes=0.1))
    found = sweep(image, sweep_settings(k=("auto", 3)), filled)
    assert all((alpha[40:56, 56:72] == 1).all() for alpha in found.alphas)


def test_a_band_that_leaves_nothing_unknown_is_not_refined() -> None:
    seen: list[tuple[int, int]] = []
    found = sweep(
        disc(96, 128)[0], kernels(1, 3, 5), line(), lambda done, of: seen.append((done, of))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]  # k = 1 leaves nothing to refine
    assert found.scores[0].doubt == "the trimap has nothing unknown"
    assert found.scores[0].error is None
    assert np.array_equal(found.alphas[0], found.mask / np.float32(255))


def test_a_setting_that_asks_for_too_much_ends_the_sweep() -> None:
    class Greedy:
        network = None

        def refine(
            self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT
        ) -> Refined:
            raise SettingError("too much", "ask for less")

    with pytest.raises(SettingError, match="too much"):
        sweep(disc(96, 128)[0], kernels(3, 5), line(Greedy()))


@pytest.mark.filterwarnings("error")
def test_even_kernels_are_drawn_exactly_and_may_be_the_best() -> None:
    image, _ = disc(96, 128)
    found = sweep(image, kernels(2, 4, iterations=[3]), line())
    with pytest.warns(MatteWarning, match="lopsided"):
        expected = kernel_band(found.mask, TrimapSettings(k=2, iterations=3))
    assert np.array_equal(found.trimaps[0], expected)
    assert all(s.is_lopsided for s in found.scores)
    assert found.choice.best is not None
    assert "lopsided, k is even: k = " in found.choice.reason


def test_instability_is_the_mean_change_to_both_neighbours() -> None:
    image, _ = disc(96, 128)
    found = sweep(image, kernels(7, 3, 5), line())
    a, t = found.alphas, found.trimaps

    def change(one: int, other: int) -> float:
        union = (t[one] == UNKNOWN) | (t[other] == UNKNOWN)
        return float(np.abs(a[one] - a[other])[union].mean())

    wide, narrow, middle = (s.instability for s in found.scores)
    assert narrow == pytest.approx(change(1, 2))
    assert wide == pytest.approx(change(0, 2))
    assert middle == pytest.approx((change(1, 2) + change(0, 2)) / 2)
    assert sweep(image, kernels(3), line()).scores[0].instability is None


def test_no_subject_is_an_answer_and_can_be_seen() -> None:
    found = sweep(Image(np.zeros((40, 60, 3), np.uint8)), kernels(3, 5), line())
    assert not found.subject
    assert found.choice.best is None
    assert found.choice.reason == "no subject found"
    assert all(not alpha.any() for alpha in found.alphas)
    assert sheet_of(found).shape[0] > 2 * 40


def test_what_is_transparent_stays_so() -> None:
    image, _ = disc(96, 128)
    half = Alpha(np.full((96, 128), 0.5, np.float32))
    found = sweep(Photo(image, transparency=half), kernels(3), line())
    assert found.alphas[0].max() == 0.5


def test_a_band_that_a_refiner_refuses_stops_no_other() -> None:
    class Picky:
        network = None

        def refine(
            self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT
        ) -> Refined:
            if (trimap == UNKNOWN).mean() > 0.1:
                raise PictureError("too wide", "narrow it")
            return Guided().refine(image, trimap)

    found = sweep(disc(96, 128)[0], kernels(3, 25), line(Picky()))
    assert [s.doubt for s in found.scores] == ["", "too wide"]
    assert found.choice.best == 0


def test_the_library_does_it_in_one_call(sample: Path) -> None:
    found = sweep(sample, sweep_settings(k=[3], base=Config().trimap))
    assert found.mask.shape == (512, 512)
    assert found.choice.best == 0
