from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from matte.arrays import UNKNOWN, Alpha, Confidence, Image, Trimap
from matte.compositing.backgrounds import colour_pixel
from matte.compositing.composer import Composer, PictureGround
from matte.configs.settings import Config, SegmentationSettings, TrimapSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.pictures import Photo
from matte.pipeline.budget import Budget
from matte.pipeline.line import TwoStage
from matte.refiner.guided import Guided
from matte.stages import NO_CONTEXT, RefineContext, Refined, Refiner, Segmentation
from matte.sweeps.edges import PictureEdges
from matte.sweeps.files import band_token, single_files
from matte.sweeps.run import Sweep, sweep, sweep_settings
from matte.sweeps.scores import SettingScore, choose_setting
from matte.sweeps.sheet import CELL_SIDE, COLUMNS, compose_settings, draw_sheet, make_section
from matte.trimap.drawing import draw_trimap
from matte.trimap.morphology import kernel_band
from tests.conftest import disc


class Bright:
    """Segments what is brighter than half, and counts how often."""

    network = None

    def __init__(self) -> None:
        self.calls = 0

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        self.calls += 1
        bright = image.max(axis=2) > np.iinfo(image.dtype).max / 2
        return Segmentation(Confidence(bright.astype(np.float32)))


def line(refiner: Refiner | None = None, segmenter: Bright | None = None) -> TwoStage:
    return TwoStage(
        segmenter or Bright(),
        SegmentationSettings(),
        TrimapSettings(),
        refiner or Guided(),
        Budget(0),
    )


def kernels(*sides: int, iterations: Sequence[int] = (1,)) -> tuple[TrimapSettings, ...]:
    return sweep_settings(k=sides, iterations=iterations)


def on_magenta(photo: Photo) -> Composer:
    return Composer(PictureGround(colour_pixel((255, 0, 255))))


def drawn(found: Sweep, name: str = "photo") -> Image:
    return draw_sheet([make_section(found, name, compose_settings(found, on_magenta))])


def score(agreement: float | None, k: int = 3, doubt: str = "") -> SettingScore:
    return SettingScore(TrimapSettings(k=k), 0.1, agreement, None, 1.0, doubt)


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
    with pytest.raises(SettingError, match="k = 0: give 1 … 101, or auto"):
        sweep_settings(k=[0])


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


def test_a_band_that_leaves_nothing_unknown_is_not_refined() -> None:
    seen: list[tuple[int, int]] = []
    found = sweep(
        disc(96, 128)[0], kernels(1, 3, 5), line(), lambda done, of: seen.append((done, of))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]  # k = 1 leaves nothing to refine
    assert found.scores[0].doubt == "the trimap has nothing unknown"
    assert found.scores[0].agreement is None
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
def test_even_kernels_are_drawn_exactly_and_never_the_best() -> None:
    image, _ = disc(96, 128)
    found = sweep(image, kernels(2, 4, iterations=[3]), line())
    with pytest.warns(MatteWarning, match="lopsided"):
        expected = kernel_band(found.mask, TrimapSettings(k=2, iterations=3))
    assert np.array_equal(found.trimaps[0], expected)
    assert all(s.is_lopsided for s in found.scores)
    assert found.choice.best is None
    assert "add an odd k" in found.choice.reason


def test_the_highest_agreement_is_the_best() -> None:
    choice = choose_setting([[score(0.5), score(0.7, k=5), score(0.9, k=4)]])
    assert choice.best == 1
    assert "agreement 0.700, then 0.500 of k = 3, 6 iterations" in choice.reason
    assert "k = 4, 6 iterations has 0.900, but is lopsided" in choice.reason
    assert "hardly more than the 0.500 of" in choose_setting([[score(0.501), score(0.5, 5)]]).reason
    assert choose_setting([[score(0.1), score(None, 5, "a flaw")]]).best == 0
    assert choose_setting([[score(None, 5, "a flaw")]]).best is None


def test_pictures_together_have_one_best() -> None:
    nobody = [score(None, 3, "no subject found"), score(None, 5, "no subject found")]
    pictures = [[score(0.5), score(0.4, 5)], [score(0.1), score(0.4, 5)], nobody]
    choice = choose_setting(pictures)
    assert choice.best == 1
    assert "mean agreement 0.400, then 0.300" in choice.reason
    assert choose_setting([nobody]).reason == "no subject found"
    failed = [score(None, 3, "a flaw"), score(0.2, 5)]
    assert choose_setting([[score(0.9), score(0.1, 5)], failed]).best == 1


def test_agreement_is_high_on_the_pictures_edge_and_none_by_chance() -> None:
    image, alpha = disc(120, 160)
    noise = np.random.default_rng(0)
    rough = Image(np.clip(image + noise.normal(0, 6, image.shape), 0, 255).astype(np.uint8))
    edges = PictureEdges(rough, np.ones((120, 160), bool))
    exact = edges.agreement(alpha)
    beside = edges.agreement(Alpha(np.roll(alpha, 14, axis=1)))
    anywhere = edges.agreement(Alpha(noise.random((120, 160), np.float32)))
    assert exact is not None
    assert beside is not None
    assert anywhere is not None
    assert exact > 0.85
    assert beside < exact - 0.3
    assert abs(anywhere) < 0.05
    assert edges.agreement(Alpha(np.zeros((120, 160), np.float32))) is None


def test_agreement_does_not_reward_narrow_bands() -> None:
    image, truth = disc(120, 160)
    wrong = Alpha(
        (np.roll(truth, 10, axis=1) > 0.5).astype(np.float32)
    )  # all that a narrow one allows
    edges = PictureEdges(image, np.ones((120, 160), bool))
    narrow, wide = edges.agreement(wrong), edges.agreement(truth)
    assert narrow is not None
    assert wide is not None
    assert wide > narrow + 0.2


@pytest.mark.parametrize("factor", [1, 3])
def test_agreement_knows_no_depth_and_hardly_a_size(factor: int) -> None:
    image, alpha = disc(700, 1000)
    large = Image(np.repeat(np.repeat(image, factor, 0), factor, 1).astype(np.uint16) * 257)
    soft = Alpha(np.repeat(np.repeat(np.roll(alpha, 6, axis=1), factor, 0), factor, 1))
    region = np.zeros(soft.shape, bool)
    region[: 300 * factor] = True
    told = PictureEdges(large, region).agreement(soft)
    small = Alpha(np.roll(alpha, 6, axis=1))
    expected = PictureEdges(image, region[::factor, ::factor]).agreement(small)
    assert told == pytest.approx(expected, abs=0.02)


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
    assert drawn(found).shape[0] > 2 * 40


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


def test_the_sheet_has_a_row_for_each_setting_and_shows_the_ground() -> None:
    image, _ = disc(300, 400)
    found = sweep(image, kernels(3, 7, 4), line())
    sheet = drawn(found)
    height, width = sheet.shape[:2]
    assert width <= len(COLUMNS) * (CELL_SIDE + 10) + 10
    assert 3 * 300 < height < 3 * (CELL_SIDE + 60) + 100
    magenta = (sheet == (255, 0, 255)).all(axis=2)
    assert magenta[:, 4 * (width // 6) : 5 * (width // 6)].mean() > 0.2
    assert not magenta[:, : width // 2].any()


@pytest.mark.parametrize("shape", [(3, 400), (500, 4), (1, 1), (33, 35)])
def test_odd_shapes_have_sheets(shape: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[:, shape[1] // 2 :] = 200
    deep = Image(image.astype(np.uint16) * 257)
    found = sweep(deep, kernels(3, 5), line())
    assert drawn(found).shape[2] == 3
    cut_out = compose_settings(found, lambda photo: Composer())
    assert draw_sheet([make_section(found, "name", cut_out)]).shape[2] == 3


def test_pictures_come_below_each_other_on_one_sheet() -> None:
    found = sweep(disc(96, 128)[0], kernels(3), line())
    section = make_section(found, "photo", compose_settings(found, on_magenta))
    one, two = draw_sheet([section]), draw_sheet([section, section], "best for all pictures")
    assert two.shape[0] > 1.8 * one.shape[0]
    assert two.shape[1] == one.shape[1]


def test_files_tell_their_settings() -> None:
    bands = sweep_settings(k=[7, "auto"], iterations=[6], width=["1.5%", "12"])
    assert [band_token(b) for b in bands] == ["k7-i6", "auto", "width-1.5pct", "width-12px"]
    assert band_token(TrimapSettings(k=7, erode=2)) == "k7-e2-d6"
    names = [p.name for p in single_files(Path("out"), "photo", bands[:1])]
    assert names == [
        "photo-mask.png",
        "photo-k7-i6-trimap.png",
        "photo-k7-i6-alpha.png",
        "photo-k7-i6-composite.png",
    ]


def test_the_library_does_it_in_one_call(sample: Path) -> None:
    found = sweep(sample, sweep_settings(k=[3], base=Config().trimap))
    assert found.mask.shape == (512, 512)
    assert found.choice.best == 0
