from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.configs.settings import SegmentationSettings
from matte.errors import WeightsError
from matte.gpu.segmenter import DeviceSegmenter
from matte.gpu.transfer import CPU, download_planes, upload_frames
from matte.segmentation.letterboxed import LetterboxedSegmenter
from tests.fakes import FakeSession
from tests.gpu.lines import brightness
from tests.textures import clouds
from tests.tolerances import DEVICE_CONFIDENCE

FREE, FIXED = (None, 3, None, None), (1, 3, 32, 64)


def pictures(height: int, width: int) -> list[Image]:
    return [Image(clouds(height, width, seed)) for seed in (1, 2)]


@pytest.mark.parametrize("shape", [FREE, FIXED])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(90, 160, None), (90, 160, (45, 80)), (270, 410, None), (270, 410, (90, 140))],
)
def test_the_subject_is_found_alike(
    shape: tuple[int | None, ...], height: int, width: int, size: tuple[int, int] | None
) -> None:
    """Large pictures' edges are sharpened: they are more than four times the network's size."""
    session = FakeSession(brightness, shape)
    segmenter = LetterboxedSegmenter(session, SegmentationSettings(), 64)
    images = pictures(height, width)
    found = DeviceSegmenter(segmenter).segment(upload_frames(images, CPU), size)
    for image, confidence in zip(images, download_planes(found), strict=True):
        expected = segmenter.segment(image, size).confidence
        assert 0.05 < expected.mean() < 0.95
        assert np.abs(confidence - expected).mean() <= DEVICE_CONFIDENCE


@pytest.mark.parametrize("value", [np.nan, 2.0, -1.0])
def test_values_that_are_no_confidence_are_an_error(value: float) -> None:
    def wrong(picture: Any) -> Any:
        return np.full_like(picture[:, :1], value)

    segmenter = LetterboxedSegmenter(FakeSession(wrong), SegmentationSettings(), 64)
    with pytest.raises(WeightsError, match="the network gives values from"):
        DeviceSegmenter(segmenter).segment(upload_frames(pictures(90, 160), CPU))
