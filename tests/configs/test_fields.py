"""The one grammar of settings: old spellings, words for "not set", ranges, text and back."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from matte.configs.fields import as_table, rule_of
from matte.configs.lengths import Length
from matte.configs.loader import merge_settings, written_values
from matte.configs.settings import (
    SETTINGS,
    Config,
    RuntimeSettings,
    SegmentationSettings,
    TrimapSettings,
)
from matte.errors import MatteWarning, SettingError

UNSET = {name: s.rule for name, s in SETTINGS.items() if s.rule.unset}


def value(config: Config, name: str) -> Any:
    return getattr(getattr(config, SETTINGS[name].section), name)


def test_values_are_parsed_once() -> None:
    flags = {"width": "1.5%", "refine_size": "480", "max_memory": "2GiB", "threads": 3}
    config = merge_settings("best", flags=flags).config
    assert config.trimap.width == Length(1.5, percent=True)
    assert config.video.refine_size == Length(480)
    assert config.runtime.max_memory == 2 << 30
    assert config.runtime.threads == 3
    written = written_values(config)
    assert {name: written[name] for name in flags} == flags


def test_values_are_taken_as_well_as_texts() -> None:
    flags = {"width": Length(12), "max_memory": 3 << 30}
    config = merge_settings(flags=flags).config
    assert (config.trimap.width, config.runtime.max_memory) == (Length(12), 3 << 30)


@pytest.mark.parametrize("name", UNSET)
def test_what_is_not_set_has_a_word_and_an_old_spelling(name: str, tmp_path: Path) -> None:
    """A file of 0.1 said 0, -1 or "" where one of 0.2 says auto, none, all, …: both are None."""
    rule, section = UNSET[name], SETTINGS[name].section
    for spelling in (rule.unset, *(() if rule.old_unset is None else (rule.old_unset,))):
        file = tmp_path / "mine.toml"
        file.write_text(f"[{section}]\n{name} = {json.dumps(spelling)}\n")
        assert value(merge_settings("best", file).config, name) is None
        assert value(merge_settings("best", flags={name: spelling}).config, name) is None
    assert written_values(Config())[name] == rule.unset


@pytest.mark.parametrize(
    ("name", "wrong", "remedy"),
    [
        ("size", 5, "size = 5: give 32 … 4096, or auto"),
        ("size", False, "size = False: give a whole number"),
        ("keep_parts", 1001, "keep_parts = 1001: give 1 … 1000, or all"),
        ("keep_alpha", -1, "keep_alpha = -1: give 1 … 1000, or off"),
        ("erode", -2, "erode = -2: give 0 … 100, or auto"),
        ("threshold", 1, "threshold = 1.0: give a number between 0 and 1"),
        ("fill_holes", float("nan"), "fill_holes = nan: give 0 … 1"),
        ("k", 102, "k = 102: give 1 … 101, auto, or learned"),
        ("tile", 100, "tile = 100: give a multiple of 32 from 64 to 4096, auto, or off"),
        ("width", "51%", "width = '51%': give up to 10000 pixels, or 50%"),
        ("width", 12, "width = 12: give pixels, or a percentage such as 3%, as text"),
        ("width", "wide", "width: 'wide' is not a length: give pixels"),
        ("refine_size", "0", "refine_size = '0': give 480 (pixels), 50%, or full"),
        ("budget_ms", -1, "budget_ms = -1: give 1 … 10^9, or none"),
        ("max_memory", "much", "max_memory: 'much' is not an amount of memory"),
        ("max_pixels", 10**13, "max_pixels = 10000000000000: give 1 … 10^12"),
        ("device", "cuda", "device = 'cuda': give auto, cpu, gpu or gpu:1"),
    ],
)
def test_what_is_out_of_range_is_told_what_to_give(name: str, wrong: object, remedy: str) -> None:
    with pytest.raises(SettingError) as caught:
        merge_settings(flags={name: wrong})
    assert str(caught.value).startswith(remedy)


def test_the_range_holds_in_python_too() -> None:
    with pytest.raises(SettingError, match="iterations = 0"):
        TrimapSettings(iterations=0)
    with pytest.raises(SettingError, match="smooth_mask = 501"):
        SegmentationSettings(smooth_mask=501)


def test_every_setting_has_a_rule_and_every_number_a_range() -> None:
    for section in fields(Config):
        for each in fields(section.type):  # type: ignore[arg-type]  # classes of settings
            rule = rule_of(each)
            assert rule is not None
            assert rule.help.endswith(".")
            if each.type in (int, float):
                assert rule.minimum is not None
                assert rule.maximum is not None


def test_tables_are_plain_values() -> None:
    table = as_table(Config(trimap=TrimapSettings(width=Length(2, percent=True))))
    assert table["trimap"]["width"] == "2%"
    assert table["runtime"]["max_memory"] == "auto"
    assert json.loads(json.dumps(table)) == table


@pytest.mark.parametrize(
    ("word", "refiner", "modnet", "new"),
    [
        ("demo", "demo", "auto", "refiner_protocol = demo"),
        ("tester", "tester", "auto", "refiner_protocol = tester"),
        ("native", "auto", "native", "modnet_protocol = native"),
        ("auto", "auto", "auto", "refiner_protocol = auto and modnet_protocol = auto"),
    ],
)
def test_protocol_became_two_settings(word: str, refiner: str, modnet: str, new: str) -> None:
    with pytest.warns(MatteWarning, match=f"^protocol = {word} is now {new}$"):
        runtime = merge_settings(flags={"protocol": word}).config.runtime
    assert (runtime.refiner_protocol, runtime.modnet_protocol) == (refiner, modnet)


def test_a_file_may_say_protocol_and_a_flag_replaces_it(tmp_path: Path) -> None:
    file = tmp_path / "old.toml"
    file.write_text('[runtime]\nprotocol = "tester"\n')
    with pytest.warns(MatteWarning, match=r"old\.toml: protocol = tester is now refiner_pr"):
        runtime = merge_settings(file=file).config.runtime
    assert runtime.refiner_protocol == "tester"
    with pytest.warns(MatteWarning):
        runtime = merge_settings(file=file, flags={"protocol": "official"}).config.runtime
    assert (runtime.refiner_protocol, runtime.modnet_protocol) == ("auto", "official")
    with pytest.raises(SettingError, match="protocol = 'testr': did you mean 'tester'"):
        merge_settings(flags={"protocol": "testr"})


def test_exactness_belongs_to_the_network_whose_protocol_is_named() -> None:
    official = RuntimeSettings(modnet_protocol="official")
    assert [official.needs_exact(kind) for kind in ("segmenter", "refiner", "modnet")] == [
        False,
        False,
        True,
    ]
    assert RuntimeSettings(refiner_protocol="demo").needs_exact("segmenter")
