"""`matte config show`: settings, and where they come from."""

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from matte.configs.loader import merge_settings, preset_names, written_values
from tests.commands import run


def test_config_show_is_a_settings_file_with_origins(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[trimap]\niterations = 4\n")
    result = run("config", "show", "--preset", "fast", "--config", mine, "--k", "5")
    assert result.exit_code == 0
    lines = {line.partition(" ")[0]: line for line in result.stdout.splitlines()}
    assert lines["k"].endswith("# flag")
    assert lines["iterations"].endswith(f"# {mine}")
    assert lines["segmenter"].endswith("# preset fast")
    assert lines["threshold"].endswith("# default")
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    merged = merge_settings(None, again)
    assert merged.preset == "fast"
    assert merged.config == merge_settings("fast", mine, {"k": 5}).config
    assert tomllib.loads(result.stdout)["trimap"]["k"] == 5


def test_the_users_own_file_is_read(own_home: Path) -> None:
    own = own_home / "config.toml"
    own.write_text('preset = "fast"\n[trimap]\nk = 9\n')
    try:
        result = run("config", "show")
    finally:
        own.unlink()
    assert 'preset = "fast"' in result.stdout
    assert f"# {own}" in result.stdout


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
    result = run("config", "show", "--preset", preset, *words)
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
    result = run("config", "show", "--config", path)
    assert result.exit_code == 0, result.output
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    assert merge_settings(None, again).config == merge_settings(None, path).config
