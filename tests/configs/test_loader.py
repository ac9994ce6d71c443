from pathlib import Path

import numpy as np
import pytest

from matte.configs.loader import merge_settings, preset_names, written_values
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
    ("[trimp]\nk = 5", "no setting 'trimp' in settings: did you mean 'trimap'?"),
    ('[trimap]\nk = "5"', "k = '5': give a whole number"),
    ("[trimap]\nk = true", "k = True: give a whole number"),
    ("[trimap]\nk = 0", "k = 0: give 1"),
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
    with pytest.raises(SettingError, match="no preset ''"):
        merge_settings("")


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
