from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.clips.following.choices import TimedChoice, parse_choices, settings_choices
from matte.configs.settings import Config, SegmentationSettings
from matte.errors import MatteError, SettingError
from matte.segmentation.subjects import parse_subject

SHAPE = (90, 160)


def test_choices_have_times_and_come_in_their_order() -> None:
    found = parse_choices(["at:30%,50%@1:02.5", "largest", "all@90"], SHAPE)
    assert [each.seconds for each in found] == [0, 62.5, 90]
    assert [str(each) for each in found] == ["1", "at:30%,50%@1:02.500", "all@1:30.000"]
    assert found[2].choice is None


def test_all_alone_follows_nobody() -> None:
    assert parse_choices(["all"], SHAPE) == ()
    assert parse_choices([], SHAPE) == ()


@pytest.mark.parametrize(
    ("texts", "cause"),
    [
        (["left"], "left"),
        (["at:30%,50%@soon"], "soon"),
        (["largest", "centre"], "begin at the same time"),
        (["mask:nowhere.png"], "nowhere.png"),
    ],
)
def test_what_is_no_choice_is_refused(texts: list[str], cause: str) -> None:
    with pytest.raises(MatteError, match=cause):
        parse_choices(texts, SHAPE)


def test_masks_are_read_and_their_names_may_have_an_at(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[20:70, 40:60] = 255
    for name in ("mask.png", "mask@2.png"):
        cv2.imwrite(str(tmp_path / name), mask)
    found = parse_choices([f"mask:{tmp_path}/mask@2.png", f"mask:{tmp_path}/mask.png@2"], SHAPE)
    assert [each.seconds for each in found] == [0, 2]
    assert found[0].region is not None
    assert (found[0].region == (mask > 0)).all()
    with pytest.raises(SettingError, match="is a folder"):
        parse_choices([f"mask:{tmp_path}"], SHAPE)


def test_the_settings_choose() -> None:
    config = Config(segmentation=SegmentationSettings(subject="at:30,50"))
    assert [str(each) for each in settings_choices(config, SHAPE)] == ["at:30,50"]
    assert settings_choices(Config(), SHAPE) == ()


def test_a_stroke_is_no_shape() -> None:
    region = np.zeros(SHAPE, np.bool_)
    region[20:24, 20:80] = True
    assert TimedChoice(parse_subject("mask:m.png"), 0, region).is_stroke
    region[20:70, 40:60] = True
    assert not TimedChoice(parse_subject("mask:m.png"), 0, region).is_stroke
    assert not TimedChoice(parse_subject("largest")).is_stroke
