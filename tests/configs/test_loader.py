from pathlib import Path

import pytest

from matte.configs.loader import presets, settle, values
from matte.configs.settings import SETTINGS, TrimapSettings
from matte.errors import SettingError


def test_later_layers_win_and_say_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[trimap]\nk = 5\niterations = 3\n[refiner]\nname = "guided"\n')
    settled = settle("best", file, {"iterations": 9, "threshold": None})
    assert settled.config.trimap == TrimapSettings(k=5, iterations=9)
    assert settled.origins["k"] == str(file)
    assert settled.origins["iterations"] == "flag"
    assert settled.origins["refiner"] == str(file)
    assert settled.origins["segmenter"] == "preset best"
    assert settled.origins["threshold"] == "default"


def test_the_file_may_choose_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "fast"\n')
    assert settle("", file).preset == "fast"
    assert settle("best", file).preset == "best"


@pytest.mark.parametrize("name", presets())
def test_presets_are_valid(name: str) -> None:
    assert values(settle(name).config).keys() == SETTINGS.keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[trimap]\nkk = 5",
            r"no setting 'kk' in .*trimap: choose from k, iterations|did you mean",
        ),
        ("[trimp]\nk = 5", "no setting 'trimp' in .*did you mean 'trimap'"),
        ('[trimap]\nk = "5"', "trimap.k = '5' is not of type int"),
        ("[trimap]\nk = true", "trimap.k = True is not of type int"),
        ("[trimap]\nk = 0", "k = 0: give 1"),
        ("[segmentation]\nthreshold = nan", "threshold = nan"),
        ('[trimap]\nshape = "elipse"', "did you mean 'ellipse'"),
        ("[trimap", "is not TOML"),
        ("trimap = 7", "trimap = 7 is not of type TrimapSettings"),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message):
        settle("", file)


def test_mistakes_in_flags_are_named() -> None:
    with pytest.raises(SettingError, match="no setting 'itertions': did you mean 'iterations'"):
        settle(flags={"itertions": 6})
    with pytest.raises(SettingError, match="k = 0: give 1"):
        settle(flags={"k": 0})
    with pytest.raises(SettingError, match="no preset 'bets': did you mean 'best'"):
        settle("bets")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"can't read .*none\.toml: No such file"):
        settle("", tmp_path / "none.toml")


def test_every_setting_is_documented() -> None:
    for flag, setting in SETTINGS.items():
        assert setting.help.endswith("."), flag
