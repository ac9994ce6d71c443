"""Photos through a line whose steps are on a device, here the CPU."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matte.arrays import Image
from matte.configs.settings import Config
from matte.errors import SettingError, WeightsError
from matte.gpu.choice import DevicePlan
from matte.gpu.photo_line import DevicePhotoLine
from matte.gpu.transfer import CPU
from matte.pipeline.fallback import Fallback
from matte.pipeline.line import Line, TrimapFree
from tests.fakes import BrightIsAlpha
from tests.gpu.lines import line, settings
from tests.gpu.shapes import subject_frame
from tests.tolerances import DEVICE

IMAGE = subject_frame(200, 260)


def on_cpu(of: Line, config: Config) -> DevicePhotoLine:
    return DevicePhotoLine(of, config, lambda size: DevicePlan(CPU))


@pytest.mark.parametrize(
    ("preset", "flags"), [("fast", {}), ("fast", {"width": "6%"}), ("balanced", {})]
)
def test_photos_are_matted_as_on_the_processor(preset: str, flags: dict[str, Any]) -> None:
    config = settings(preset, **flags)
    expected = line(config).run(IMAGE)
    found = on_cpu(line(config), config).run(IMAGE)
    assert expected.mask is not None
    assert found.mask is not None
    assert (found.mask != expected.mask).mean() <= 1e-3
    assert np.abs(found.alpha - expected.alpha).mean() <= DEVICE
    ours, theirs = ({**x.report, "ms": None, "unknown": None} for x in (found, expected))
    assert ours.pop("on") == "cpu"
    assert ours == theirs
    assert set(found.report["ms"]) == set(expected.report["ms"])


def test_what_is_doubted_is_the_processors() -> None:
    config = settings("fast")
    dark = Image(np.zeros((60, 80, 3), np.uint8))
    both = Fallback(line(config), lambda: TrimapFree(BrightIsAlpha()))
    assert on_cpu(both, config).run(dark).doubt == "no subject found"
    bright = Image(np.full((60, 80, 3), 255, np.uint8))
    plain = on_cpu(both, config).run(bright)
    assert plain.doubt == "no subject found"
    assert "fallback" not in plain.report
    bright[:, 40:] = 235
    report = on_cpu(both, config).run(bright).report
    assert report["fallback"]["to"] == "modnet"
    assert "matte" in report["ms"]


def test_what_fails_is_tried_by_the_processors_line() -> None:
    config = settings("fast")

    def too_small(size: tuple[int, int]) -> DevicePlan:
        raise WeightsError("not this one")

    def wrong(picture: Any) -> Any:
        return np.full_like(picture[:, :1], np.nan)

    broken = line(config)
    assert broken.segmenter.network is not None
    session = broken.segmenter.session  # type: ignore[attr-defined]  # a LetterboxedSegmenter's
    session._function = wrong
    both = Fallback(broken, lambda: TrimapFree(BrightIsAlpha()))
    assert on_cpu(both, config).run(IMAGE).report["fallback"]["to"] == "modnet"
    with pytest.raises(WeightsError, match="not this one"):
        replace(on_cpu(both, config), plan_for=too_small).run(IMAGE)


def test_a_refiner_changed_is_the_processors() -> None:
    config = settings("fast")
    changed = on_cpu(line(config), config).with_refiner(lambda refiner: refiner)
    assert not isinstance(changed, DevicePhotoLine)


def test_settings_errors_are_the_users() -> None:
    config = settings("fast")

    def refused(size: tuple[int, int]) -> DevicePlan:
        raise SettingError("no")

    with pytest.raises(SettingError):
        DevicePhotoLine(line(config), config, refused).run(IMAGE)
