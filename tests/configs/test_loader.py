from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matte.configs.lengths import parse_length
from matte.configs.loader import (
    merge_settings,
    preset_names,
    with_video_networks,
    written_values,
)
from matte.configs.settings import SETTINGS, TrimapSettings
from matte.errors import SettingError


def test_later_layers_win_and_say_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[trimap]\nk = 5\niterations = 3\n[refiner]\nrefiner = "guided"\n')
    merged = merge_settings("best", file, {"iterations": 9, "threshold": None})
    assert merged.config.trimap == TrimapSettings(k=5, iterations=9)
    assert merged.origins["k"] == str(file)
    assert merged.origins["iterations"] == "flag"
    assert merged.origins["refiner"] == str(file)
    assert merged.origins["segmenter"] == "preset best"
    assert merged.origins["threshold"] == "default"


def test_the_file_may_choose_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "fast"\n')
    assert merge_settings(None, file).preset == "fast"
    assert merge_settings("best", file).preset == "best"


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_valid(name: str) -> None:
    assert written_values(merge_settings(name).config).keys() == SETTINGS.keys()


MISTAKES = [
    ("[trimap]\nkk = 5", "no setting 'kk' in trimap: did you mean 'k'"),
    ("k = 5", r"no setting 'k' in settings: write it under \[trimap\]"),
    ("[trimp]\nk = 5", "no setting 'trimp' in settings: did you mean 'trimap'?"),
    ('[trimap]\nk = "5"', "k = '5': give a whole number"),
    ("[trimap]\nk = true", "k = True: give a whole number"),
    ("[trimap]\nk = 0", "k = 0: give 1"),
    ('[trimap]\nwidth = "wide"', "width: 'wide' is not a length: give"),
    ('[runtime]\nprotocol = "testr"', "protocol = 'testr': did you mean 'tester'?"),
    ('preset = "bets"', "no preset 'bets': did you mean 'best'?"),
    ("preset = 3", "preset = 3: give text"),
    ("[segmentation]\nthreshold = nan", "threshold = nan: give"),
    ('[trimap]\nshape = "elipse"', "shape = 'elipse': did you mean 'ellipse'?"),
    ("[trimap", "is not TOML: "),
    ("[trimap]\nk = " + "9" * 5000, "is not TOML: "),
    ("x = " + "[" * 5000, "is not TOML: "),
    ("trimap = 7", r"trimap = 7 is not a table: write it as \[trimap\]"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes_in_a_file_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message) as caught:
        merge_settings(file=file)
    assert str(caught.value).startswith(str(file))


def test_mistakes_in_flags_are_named() -> None:
    with pytest.raises(SettingError, match="no setting 'itertions': did you mean 'iterations'"):
        merge_settings(flags={"itertions": 6})
    with pytest.raises(SettingError, match="k = 0: give 1"):
        merge_settings(flags={"k": 0})
    with pytest.raises(SettingError, match="no preset 'bets': did you mean 'best'"):
        merge_settings("bets")
    with pytest.raises(SettingError, match=r"no preset 'shop.toml': give .* with --config shop"):
        merge_settings("shop.toml")
    with pytest.raises(SettingError, match="no preset ''"):
        merge_settings("")


def test_a_mistake_in_a_flag_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "fast"\n[trimap]\nk = 5\nwidth = "3%"\n[runtime]\ndevice = "cpu"\n')
    for flags, message in (
        ({"k": 300}, "k = 300: give 1 … 101, auto, or learned"),
        ({"width": "wide"}, "width: 'wide' is not a length: give pixels"),
        ({"max_memory": "1PB"}, "max_memory: '1PB' is not an amount of memory"),
        ({"protocol": "testr"}, "protocol = 'testr': did you mean"),
    ):
        with pytest.raises(SettingError) as caught:
            merge_settings(file=file, flags=flags)
        assert str(caught.value).startswith(message)
        assert "mine.toml" not in str(caught.value)
    with pytest.raises(SettingError, match=r"^no preset 'bets': did you"):
        merge_settings("bets", file)


def test_what_a_flag_and_the_file_say_together_is_named_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[runtime]\ndevice = "cpu"\n')
    with pytest.raises(SettingError, match=r"require_gpu with device = 'cpu' \(device of .*mine"):
        merge_settings(file=file, flags={"require_gpu": True})
    with pytest.raises(SettingError, match="require_gpu with device = 'cpu': leave one"):
        merge_settings(flags={"require_gpu": True, "device": "cpu"})


def test_paths_and_numpy_numbers_are_settings_too() -> None:
    config = merge_settings(
        flags={"segmenter": Path("my.onnx"), "k": np.int64(5), "threshold": 1 / 4}
    ).config
    assert config.segmentation.segmenter == "my.onnx"
    assert config.trimap.k == 5


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"can't read .*none\.toml \(No such file"):
        merge_settings("", tmp_path / "none.toml")


def test_every_setting_is_documented() -> None:
    for flag, setting in SETTINGS.items():
        assert setting.rule.help.endswith("."), flag


@pytest.mark.parametrize(
    ("preset", "file", "flags", "band"),
    [
        ("balanced", "", {}, TrimapSettings(k="auto")),
        ("balanced", "", {"iterations": 4}, TrimapSettings(iterations=4)),
        ("balanced", "", {"shape": "rect"}, TrimapSettings(shape="rect")),
        ("balanced", "", {"erode": 3}, TrimapSettings(erode=3)),
        ("balanced", "", {"k": 5}, TrimapSettings(k=5)),
        ("balanced", "", {"k": "auto", "iterations": 4}, TrimapSettings(k="auto", iterations=4)),
        ("balanced", "", {"width": "2%"}, TrimapSettings(k="auto", width=parse_length("2%"))),
        ("balanced", "", {"width": ""}, TrimapSettings(k="auto")),
        ("balanced", "", {"width": "", "iterations": 4}, TrimapSettings(iterations=4)),
        ("balanced", "iterations = 4", {}, TrimapSettings(iterations=4)),
        ("balanced", "iterations = 4", {"k": "auto"}, TrimapSettings(k="auto", iterations=4)),
        ("balanced", 'width = "2%"', {}, TrimapSettings(k="auto", width=parse_length("2%"))),
        ("balanced", 'width = "2%"', {"k": 7}, TrimapSettings(k=7)),
        ("balanced", 'width = "2%"', {"k": "auto"}, TrimapSettings(k="auto")),
        ("balanced", 'width = "2%"', {"shape": "rect"}, TrimapSettings(shape="rect")),
        ("balanced", 'width = "2%"', {"width": ""}, TrimapSettings(k="auto")),
        (
            "balanced",
            'width = "2%"',
            {"width": "9"},
            TrimapSettings(k="auto", width=parse_length("9")),
        ),
        ("balanced", "k = 5", {"width": "9"}, TrimapSettings(k=5, width=parse_length("9"))),
        ("balanced", "k = 5", {"iterations": 4}, TrimapSettings(k=5, iterations=4)),
        ("fast", "", {"k": 5}, TrimapSettings(k=5, iterations=3)),
        ("fast", 'k = "auto"', {"dilate": 2}, TrimapSettings(iterations=3, dilate=2)),
    ],
)
def test_the_last_way_to_draw_the_band_counts(
    tmp_path: Path, preset: str, file: str, flags: dict[str, Any], band: TrimapSettings
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"[trimap]\n{file}\n")
    assert merge_settings(preset, path, flags).config.trimap == band


def test_what_was_replaced_comes_from_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[trimap]\nwidth = "2%"\n')
    origins = merge_settings("balanced", path).origins
    assert (origins["k"], origins["width"]) == ("preset balanced", str(path))
    origins = merge_settings("balanced", path, {"iterations": 4}).origins
    assert (origins["k"], origins["width"], origins["iterations"]) == ("default", "default", "flag")
    assert merge_settings("balanced", path, {"k": 7}).origins["k"] == "flag"


def test_clips_are_not_seen_twice_unless_asked() -> None:
    assert merge_settings("best").config.refiner.mirrored
    assert not with_video_networks(merge_settings("best")).config.refiner.mirrored
    assert merge_settings("best").config.segmentation.segment_mirrored
    assert not with_video_networks(merge_settings("best")).config.segmentation.segment_mirrored
    asked = merge_settings("fast", flags={"mirrored": True, "segment_mirrored": True})
    assert with_video_networks(asked).config.refiner.mirrored
    assert with_video_networks(asked).config.segmentation.segment_mirrored
