import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import matte
from matte.arrays import Confidence, Image, Trimap
from matte.configs.settings import Config, PipelineSettings, TrimapSettings
from matte.errors import (
    BackendError,
    MatteError,
    MatteWarning,
    MissingWeightsError,
    NamedNetworkError,
    SettingError,
)
from matte.pipeline.fallback import Fallback
from matte.pipeline.line import NO_SUBJECT, Line, Prior, TrimapFree, TwoStage
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation
from matte.weights import store
from tests.conftest import disc
from tests.fakes import BrightIsAlpha, BrightIsSubject, two_stage

IMAGE, ALPHA = disc(64, 80)
DARK = Image(np.zeros((64, 80, 3), np.uint8))
DARK[:, 40:] = 40  # nothing that is bright, but not plain either
BAND = TrimapSettings(k=3, iterations=2)
MISSING = MissingWeightsError("can't read x.onnx (No such file)", "install matte again")


def trimap_free() -> Line:
    return TrimapFree(BrightIsAlpha())


def never() -> Line:
    raise AssertionError("nothing asked for it")


def no_modnet() -> Line:
    raise MissingWeightsError("modnet.onnx is damaged", "install matte again")


class Fails:
    network = None

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        raise BackendError("the GPU is on fire", "open a window")


def failing() -> TwoStage:
    line = two_stage(Config(trimap=BAND))
    return TwoStage(line.segmenter, line.segmentation, line.band, Fails(), line.budget)


def test_what_is_trusted_needs_no_other_line() -> None:
    found = Fallback(two_stage(Config(trimap=BAND)), never).run(IMAGE)
    assert "fallback" not in found.report


def test_what_somebody_asked_for_is_not_replaced() -> None:
    class Greedy:
        network = None

        def refine(
            self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT
        ) -> Refined:
            raise SettingError("a tile of 4096", "use a larger machine")

    line = replace(two_stage(Config(trimap=BAND)), refiner=Greedy())
    with pytest.raises(SettingError, match="a tile of 4096"):
        Fallback(line, never).run(IMAGE)


def test_a_network_that_somebody_named_is_not_replaced() -> None:
    line = replace(failing(), named={"refiner": "mine.onnx"})
    with pytest.raises(NamedNetworkError, match=r"^mine\.onnx can't be the refiner \(the GPU"):
        Fallback(line, never).run(IMAGE)
    other = replace(failing(), named={"segmenter": "mine.onnx"})
    assert Fallback(other, trimap_free).run(IMAGE).report["fallback"]["to"] == "modnet"


FIRST: list[tuple[Line | MatteError, str]] = [
    (MISSING, "can't read x.onnx (No such file)"),
    (two_stage(Config(trimap=TrimapSettings(k=101))), "the trimap has no sure subject"),
    (failing(), "the GPU is on fire"),
]


@pytest.mark.parametrize(("first", "reason"), FIRST)
def test_the_other_line_takes_over_and_says_why(first: Line | MatteError, reason: str) -> None:
    found = Fallback(first, trimap_free).run(IMAGE)
    told = found.report["fallback"]
    assert (told["reason"], told["to"]) == (reason, "modnet")
    assert ("remedy" in told) == (not isinstance(first, TwoStage) or "fire" in reason)
    assert np.array_equal(found.alpha, BrightIsAlpha().matte(IMAGE))


@pytest.mark.parametrize(("first", "reason"), FIRST)
def test_without_another_line_it_is_an_error(first: Line | MatteError, reason: str) -> None:
    with pytest.raises(MatteError) as caught:
        Fallback(first, None).run(IMAGE)
    assert caught.value.cause == reason
    assert caught.value.remedy


@pytest.mark.parametrize(("first", "reason"), FIRST)
def test_where_the_other_line_fails_too_both_are_told(first: Line, reason: str) -> None:
    with pytest.raises(MissingWeightsError) as caught:
        Fallback(first, no_modnet).run(IMAGE)
    cause = f"{reason}, and MODNet can't help: modnet.onnx is damaged"
    assert str(caught.value) == f"{cause}: install matte again"


def test_nobody_is_an_answer_whatever_else_is_there() -> None:
    line = two_stage(Config(trimap=BAND))
    for second in (None, trimap_free, no_modnet):
        found = Fallback(line, second).run(DARK)
        assert (found.alpha == 0).all()
    assert "damaged" in found.report["fallback"]["error"]
    nobody = Prior(Segmentation(Confidence(np.zeros((64, 80), np.float32))))
    assert (Fallback(line, never).run(IMAGE, nobody).alpha == 0).all(), "the mask said so"


class Blind:
    network = None

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        return Segmentation(Confidence(np.zeros(image.shape[:2], np.float32)))


def test_who_the_segmenter_overlooked_may_be_found() -> None:
    line = two_stage(Config(trimap=BAND))
    blind = TwoStage(Blind(), line.segmentation, line.band, line.refiner, line.budget)
    found = Fallback(blind, trimap_free).run(IMAGE)
    assert found.report["fallback"] == {"reason": "no subject found", "to": "modnet"}
    assert (found.alpha >= 0.5).any()
    small = IMAGE.copy()
    small[ALPHA > 0] = 20
    small[:5, :5] = 255  # less than MODNet must be sure of
    found = Fallback(blind, trimap_free).run(Image(small))
    assert found.report["fallback"]["found"] == "no subject either"
    assert (found.alpha == 0).all()


def test_a_run_over_its_budget_falls_back() -> None:
    config = Config(trimap=BAND, pipeline=PipelineSettings(budget_ms=1))
    line = two_stage(config)

    class Slow:
        network = None

        def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
            time.sleep(0.01)
            return BrightIsSubject().segment(image)

    slow = TwoStage(Slow(), line.segmentation, line.band, line.refiner, line.budget)
    found = Fallback(slow, trimap_free).run(IMAGE)
    assert found.report["fallback"]["reason"].endswith(" ms were over before the refiner, of 1")


def test_the_shipped_line_falls_back_where_a_network_is_damaged(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = store.all_weights()
    for name in ("person", "modnet"):
        (tmp_path / f"{name}.onnx").write_bytes(shipped[name].path.read_bytes())

    def elsewhere() -> dict[str, store.Weights]:
        return {name: replace(w, folder=tmp_path) for name, w in shipped.items()}

    monkeypatch.setattr(store, "listed_weights", elsewhere)
    with pytest.warns(MatteWarning, match="can't read .*: its matte is MODNet's"):
        result = matte.load()(sample)
    assert result.alpha[100:180, 195:250].mean() > 0.98
    assert result.report["networks"].keys() == {"modnet"}
    with pytest.raises(MissingWeightsError, match="can't read"):
        matte.load(fallback="none")
    (tmp_path / shipped["gca-slim"].file).write_bytes(b"damaged")
    with pytest.raises(MissingWeightsError, match="is damaged"):
        matte.load(fallback="none")


def test_in_a_plain_picture_nobody_is_looked_for() -> None:
    """Networks would see something, as this one does."""
    white = Image(np.full((64, 80, 3), 255, np.uint8))
    found = Fallback(two_stage(Config(trimap=BAND)), never).run(white)
    assert not found.alpha.any()
    assert found.doubt == NO_SUBJECT
    as_frame = two_stage(Config(trimap=BAND)).run(white, Prior(is_frame=True))
    assert as_frame.alpha.any()
