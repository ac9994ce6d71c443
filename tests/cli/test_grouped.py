"""Help in groups: what people need first by --help, every option by --help-all."""

import click
import pytest

from matte.cli.grouped import GROUPS, GroupedCommand, GroupedOption
from matte.cli.main import COMMANDS, main
from tests.commands import run

LONG = ("image", "video", "webcam", "sweep-trimap")


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def shown(name: str, flag: str) -> list[str]:
    """The options that a help lists."""
    lines = run(name, flag).stdout.splitlines()
    return [line.split()[0].rstrip(",") for line in lines if line.startswith("  -")]


@pytest.mark.parametrize("name", LONG)
def test_help_is_short_and_help_all_is_whole(name: str) -> None:
    options = [p for p in command(name).params if isinstance(p, click.Option) and not p.hidden]
    everything = run(name, "--help-all").stdout
    for option in options:
        assert f" {option.opts[-1]}" in everything, option.name
    assert 10 <= len(shown(name, "--help")) <= 16
    assert len(shown(name, "--help-all")) == len(options) + 1  # and --help
    assert f"All {len(options) + 1} options, in groups: main {name} --help-all" in (
        run(name, "--help").stdout
    )


@pytest.mark.parametrize("name", LONG)
def test_groups_come_in_one_order(name: str) -> None:
    lines = run(name, "--help-all").stdout.splitlines()
    titles = [line.rstrip(":") for line in lines if line.rstrip(":") in GROUPS]
    assert titles == [group for group in GROUPS if group in titles]
    assert titles[0] == "Result"
    assert titles[-1] == "Help"


def test_every_option_of_a_grouped_command_has_a_group() -> None:
    for name in COMMANDS:
        found = command(name)
        if isinstance(found, GroupedCommand):
            for each in found.params:
                if isinstance(each, click.Option) and not each.hidden:
                    assert isinstance(each, GroupedOption), f"{name} {each.name}"


@pytest.mark.parametrize("name", ["export", "trimap", "composite"])
def test_short_commands_have_one_help(name: str) -> None:
    result = run(name, "--help").stdout
    assert "--help-all" not in result
    assert "--overwrite" in result


def test_a_short_help_has_groups() -> None:
    lines = run("trimap", "--help").stdout.splitlines()
    assert [line for line in lines if line.endswith(":") and not line.startswith(" ")] == [
        "Result:",
        "Subject and band:",
        "Running:",
        "Help:",
    ]


def test_the_old_protocol_is_hidden_and_understood() -> None:
    assert " --protocol" not in run("image", "--help-all").stdout
    result = run("config", "show", "--protocol", "demo")
    assert result.exit_code == 0
    assert 'refiner_protocol = "demo"' in result.stdout
    assert "Warning: protocol = demo is now refiner_protocol = demo" in result.stderr


@pytest.mark.parametrize("flag", ["--erode=-1", "--size=0", "--width=", "--threads=0"])
def test_old_spellings_of_not_set_are_understood(flag: str) -> None:
    assert run("config", "show", flag).stdout.splitlines()[0] == 'preset = "balanced"'


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("image", "a.jpg", "--background", "white"), "--bg"),
        (("image", "a.jpg", "--out", "b"), "--output"),
    ],
)
def test_other_tools_words_are_understood(words: tuple[str, ...], meant: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert f"Did you mean '{meant}'?" in result.stderr


def test_version() -> None:
    from matte import __version__

    assert __version__ in run("--version").stdout
