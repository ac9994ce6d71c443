"""What shells are told about the words of a command."""

import click
import pytest
from click.shell_completion import ShellComplete

from matte.cli.completion import SHELLS, VARIABLE
from matte.cli.main import main
from tests.commands import run


def completed(words: list[str], beginning: str) -> list[str]:
    found = ShellComplete(main, {}, "matte", VARIABLE).get_completions(words, beginning)
    return [item.value for item in found]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script(shell: str) -> None:
    done = run("completion", shell)
    assert done.exit_code == 0
    assert VARIABLE in done.stdout


def test_commands_options_and_networks_are_completed() -> None:
    assert "sweep-trimap" in completed([], "sw")
    assert completed(["image", "a.jpg"], "--fallb") == ["--fallback"]
    assert "clothing" in completed(["a.jpg", "--segmenter"], "clo")
    assert "smooth" in completed(["image", "--refiner"], "sm")


def test_a_file_that_is_not_there_yet_is_no_mistake() -> None:
    assert completed(["photo"], "--segmente") == ["--segmenter"]
    with pytest.raises(click.ClickException, match="no command, file or folder"):
        main.main(["photo", "--segmenter"], standalone_mode=False)
