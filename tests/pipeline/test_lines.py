from pathlib import Path

import numpy as np
import pytest

import matte
from matte.arrays import Image
from matte.configs.settings import TrimapSettings
from matte.errors import MatteError
from matte.pipeline.lines import TwoStage
from tests.conftest import disc
from tests.fakes import BrightIsSubject, HalfUnknown


def line() -> TwoStage:
    return TwoStage(BrightIsSubject(), TrimapSettings(k=3, iterations=2), HalfUnknown())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_goes_through_all_stages(dtype: type[np.uint8] | type[np.uint16]) -> None:
    small, _ = disc(64, 80)
    deep = small.astype(np.uint16) * 257
    image = Image(small if dtype == np.uint8 else deep)
    result = line().run(image)
    assert result.mask is not None
    assert result.trimap is not None
    assert ((result.alpha == 0.5) == (result.trimap == 128)).all()
    assert result.foreground.dtype == dtype
    assert result.report["subject"] is True
    assert result.report["unknown"] == pytest.approx((result.trimap == 128).mean(), abs=1e-5)
    assert set(result.report["ms"]) == {"segment", "trimap", "refine", "foreground"}


def test_no_subject_is_an_answer() -> None:
    result = line().run(Image(np.zeros((20, 30, 3), np.uint8)))
    assert result.report["subject"] is False
    assert (result.alpha == 0).all()


def test_the_shipped_line_on_the_sample(sample: Path) -> None:
    result = matte.load()(sample)
    assert result.alpha.shape == (512, 512)
    assert result.alpha.dtype == np.float32
    assert result.alpha[100:180, 195:250].mean() > 0.98
    assert result.alpha[20:140, 300:380].mean() < 0.03
    assert result.report["backends"] == {"segmenter": "openvino", "refiner": "openvino"}
    assert result.report["settings"]["k"] == 7
    white = matte.composite(result.foreground, result.alpha, "white")
    assert (white[60, 350] > 230).all()


def test_a_path_and_its_pixels_give_one_result(sample: Path) -> None:
    from matte.media.pictures import read_image

    pipeline = matte.load("fast", k=5, backend="onnx")
    from_path = pipeline(str(sample))
    from_pixels = pipeline(read_image(sample))
    assert np.array_equal(from_path.alpha, from_pixels.alpha)
    assert from_path.report["backends"] == {"segmenter": "onnx", "refiner": "onnx"}
    assert from_path.report["settings"]["k"] == 5


@pytest.mark.parametrize("overrides", [{"kk": 3}, {"k": -1}, {"refiner": "best"}, {"size": 1.5}])
def test_wrong_overrides_are_refused(overrides: dict[str, object]) -> None:
    with pytest.raises(MatteError):
        matte.load("balanced", **overrides)


def test_wrong_presets_and_pictures_are_refused() -> None:
    with pytest.raises(MatteError, match="no preset 'balance'"):
        matte.load("balance")
    with pytest.raises(MatteError, match="give uint8 or uint16"):
        matte.load()(np.zeros((8, 8, 3)))
