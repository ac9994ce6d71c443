"""Which of several ways to draw the band counts: the last that was asked for."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from matte.cli.main import main
from matte.configs.lengths import parse_length
from matte.configs.loader import merge_settings, preset_names, written_values
from matte.configs.settings import TrimapSettings


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


ODD = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
).filter(lambda text: not text.startswith("-"))


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    preset=st.sampled_from(preset_names()),
    flags=st.fixed_dictionaries(
        {},
        optional={
            "k": st.one_of(st.just("auto"), st.integers(1, 101)),
            "iterations": st.integers(1, 9),
            "width": st.sampled_from(["", "3", "2.5%"]),
            "threshold": st.floats(0.01, 0.99),
            "fill_holes": st.sampled_from([0.0, 1e-7, 1.0]),
            "fit": st.sampled_from(["cover", "tile"]),
            "segmenter": ODD,
        },
    ),
)
def test_what_config_show_prints_is_a_settings_file(
    tmp_path: Path, preset: str, flags: dict[str, Any]
) -> None:
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    result = CliRunner().invoke(main, ["config", "show", "--preset", preset, *words])
    assert result.exit_code == 0, result.output
    again = tmp_path / "again.toml"
    again.write_bytes(result.stdout_bytes)
    expected, found = merge_settings(preset, None, flags), merge_settings(None, again)
    assert found.preset == preset
    assert found.config == expected.config
    # And so are the values by themselves, in whatever order.
    assert merge_settings(preset, None, written_values(found.config)).config == found.config


def test_odd_names_of_files_are_no_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "mine\nk = 3\n\x7f.toml"
    path.write_text("[trimap]\niterations = 4\n")
    result = CliRunner().invoke(main, ["config", "show", "--config", str(path)])
    assert result.exit_code == 0, result.output
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    assert merge_settings(None, again).config == merge_settings(None, path).config
