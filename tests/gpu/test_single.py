"""The device line as a `Line`: its contract with networks of one line, and parity with numpy."""

import doctest

import numpy as np
import pytest
import torch

from matte.arrays import Image
from matte.configs.settings import Config
from matte.errors import WeightsError
from matte.gpu import single
from matte.gpu.line import DeviceLine
from matte.gpu.single import SinglePictureLine
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import Line, Prior
from tests.gpu.device_lines import config, device_line, picture
from tests.pipeline.contract import BAND, IMAGE, UNKNOWN_TRIMAP, WIDTH, LineContract
from tests.tolerances import DEVICE_MASK, DEVICE_UNSURE


def bright(image: torch.Tensor) -> torch.Tensor:
    return (image.mean(dim=1, keepdim=True) > 0.5).float()


def half(image: torch.Tensor, trimap: torch.Tensor) -> torch.Tensor:
    return torch.full_like(trimap, 0.5)


def no_alpha(*planes: torch.Tensor) -> torch.Tensor:
    return torch.full_like(planes[0][:, :1], torch.nan)


class TestSinglePictureLine(LineContract):
    def line(self, config: Config) -> Line:
        return SinglePictureLine(DeviceLine(bright, half, config, WIDTH))

    def test_it_is_one_run_on_the_device(self) -> None:
        assert set(self.line(BAND).run(IMAGE).report["ms"]) == {"device"}

    def test_values_that_are_no_alpha_are_an_error(self) -> None:
        segmenting = SinglePictureLine(DeviceLine(no_alpha, half, BAND, WIDTH))
        refining = SinglePictureLine(DeviceLine(bright, no_alpha, BAND, WIDTH))
        for line, prior in (
            (segmenting, Prior()),
            (refining, Prior()),
            (refining, Prior(trimap=UNKNOWN_TRIMAP)),
        ):
            with pytest.raises(WeightsError, match="no alpha"):
                line.run(IMAGE, prior)
        with pytest.raises(WeightsError, match="no alpha"):
            segmenting.segmenter.segment(IMAGE)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_a_picture_is_matted_as_in_numpy(preset: str) -> None:
    settings, image = config(preset), picture()
    expected = build_two_stage(settings).run(image)
    line = SinglePictureLine(device_line(settings))
    assert expected.mask is not None
    assert expected.trimap is not None
    for result in (line.run(image), line.stages.run(image)):
        assert result.mask is not None
        assert result.trimap is not None
        assert (result.mask != expected.mask).mean() <= DEVICE_MASK
        assert (result.trimap != expected.trimap).mean() <= DEVICE_MASK
        assert np.abs(result.alpha - expected.alpha).mean() <= DEVICE_UNSURE
        assert result.report["unknown"] == pytest.approx(expected.report["unknown"], abs=1e-3)


def test_of_16_bits_the_upper_8_count() -> None:
    deep = Image(IMAGE.astype(np.uint16) * 257)
    line = SinglePictureLine(DeviceLine(bright, half, BAND, WIDTH))
    assert np.array_equal(line.run(deep).alpha, line.run(IMAGE).alpha)


def test_the_example_runs_as_written() -> None:
    assert doctest.testmod(single).failed == 0
