"""Options are made from what the settings' fields know."""

from pathlib import Path

import click
import pytest

from matte.cli.grouped import GroupedCommand, GroupedOption
from matte.cli.settings import setting_options
from matte.configs.loader import MergedSettings
from matte.configs.settings import SETTINGS
from tests.commands import run


def option_of(name: str) -> GroupedOption:
    @click.command(cls=GroupedCommand)
    @setting_options(*SETTINGS)
    def command(settings: MergedSettings) -> None:
        """Nothing."""

    (found,) = (p for p in command.params if p.name == name)
    assert isinstance(found, GroupedOption)
    return found


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_in_its_fields_group(name: str) -> None:
    option, rule = option_of(name), SETTINGS[name].rule
    assert option.opts == [f"--{name.replace('_', '-')}"]
    assert option.group == rule.group
    assert option.common == rule.common
    assert option.help is not None
    assert option.help.startswith(rule.help)


@pytest.mark.parametrize(
    ("name", "metavar", "ending"),
    [
        ("k", "PIXELS|auto|learned", "[1 … 101]"),
        ("tile", "PIXELS|auto|off", "[64 … 4096]"),
        ("keep_parts", "NUMBER|all", "[1 … 1000]"),
        ("width", "PIXELS|PERCENT|none", "."),
        ("max_memory", "MEMORY|auto", "."),
        ("segmenter", "NAME|FILE", "."),
        ("device", "DEVICE", "."),
    ],
)
def test_help_shows_unit_words_and_range(name: str, metavar: str, ending: str) -> None:
    option = option_of(name)
    assert option.metavar == metavar
    assert str(option.help).endswith(ending)


def test_flags_win_over_the_preset_and_are_parsed() -> None:
    shown = run("config", "show", "--preset", "fast", "--width", "2%", "--tile", "off").stdout
    assert 'width = "2%"' in shown
    assert 'tile = "off"' in shown
    assert 'refiner = "gca-slim-plain"' in shown


def test_a_list_of_kernels_is_for_a_sweep() -> None:
    result = run("config", "show", "--k", "7,12")
    assert result.exit_code == 2
    assert "'matte sweep-trimap' tries several" in result.stderr


def test_a_wrong_word_is_answered_with_those_that_are_right() -> None:
    result = run("config", "show", "--keep-parts", "most")
    assert result.exit_code == 2
    assert "'most' is neither a whole number nor all" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Error: {file}: no refiner 'gided': did you mean 'guided'?"),
        (("--refiner", "gidd"), "Error: no refiner 'gidd': did you mean 'guided'?"),
        (("--refiner", "guided", "--segmenter", "persn"), "Error: no segmenter 'persn': did you"),
    ],
)
def test_a_network_that_is_not_there_is_said_to_be_the_files_or_not(
    words: tuple[str, ...], message: str, tmp_path: Path, sample: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[refiner]\nrefiner = "gided"\n[modnet]\nmodnet = "none"\n')
    result = run("image", sample, "--config", file, "-o", tmp_path / "out.png", *words)
    assert result.exit_code == 1
    assert result.stderr.startswith(message.format(file=file))
