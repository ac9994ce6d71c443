"""A frame through the device's steps, and which lines have such."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.gpu.frame_line import frame_line, missing_step
from matte.gpu.pictures import upload_picture
from matte.gpu.transfer import CPU, download_plane
from matte.pipeline.line import Prior, TrimapFree
from tests.fakes import BrightIsAlpha, HalfUnknown
from tests.gpu.lines import line, settings
from tests.gpu.shapes import subject_frame
from tests.tolerances import DEVICE

IMAGE = subject_frame(120, 200)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_a_frame_is_matted_alike(preset: str) -> None:
    config = settings(preset)
    expected = line(config).run(IMAGE)
    steps = frame_line(line(config), config)
    picture = upload_picture(IMAGE, CPU)
    confidence = steps.segmenter.segment(picture.planes)
    drawn = steps.draw(confidence)
    refined = steps.refine(picture, confidence, drawn)
    assert drawn.doubt == expected.doubt == ""
    assert np.abs(download_plane(refined.alpha) - expected.alpha).mean() <= DEVICE
    assert refined.report == expected.report["refined"]


@pytest.mark.parametrize("level", [0, 255])
def test_a_doubted_frame_says_why(level: int) -> None:
    config = settings("fast")
    image = Image(np.full((60, 80, 3), level, np.uint8))
    steps = frame_line(line(config), config)
    confidence = steps.segmenter.segment(upload_picture(image, CPU).planes)
    expected = line(config).run(image, Prior(is_frame=True))
    assert steps.draw(confidence).doubt == expected.doubt != ""


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({}, ""),
        ({"keep_parts": 1}, "keep_parts is set"),
        ({"subject": "largest"}, "subject is set"),
        ({"budget_ms": 100}, "budget_ms is set"),
    ],
)
def test_what_settings_a_device_can_not_follow(flags: dict[str, Any], said: str) -> None:
    config = settings("fast", **flags)
    assert missing_step(line(config), config) == said


def test_what_networks_have_no_steps() -> None:
    config = settings("fast")
    assert missing_step(TrimapFree(BrightIsAlpha()), config) == "it has no subject-light"
    other = replace(line(config), refiner=HalfUnknown())
    assert missing_step(other, config) == "it has no refiner gca-slim-plain"
