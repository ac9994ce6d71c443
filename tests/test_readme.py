"""Every command of the README is one that matte has; those that need nothing else are run."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from matte.cli.main import COMMANDS, main
from tests.commands import run
from tests.conftest import SAMPLE, save
from tests.media.clips import clip
from tests.stores.s3_server import S3Server

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
# They need a camera, a GPU, torch, a data set, other programs, or a long time.
NOT_RUN = ("webcam", "serve", "compile", "export", "train", "data", "eval", "bench")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def words_of(line: str) -> list[str]:
    """The words of a command, without its comment."""
    return shlex.split(line, comments=True)


def examples() -> list[tuple[list[str], str]]:
    """The sessions of the README: what is typed after `matte`, and what is printed."""
    found = []
    for block in blocks("console"):
        line, _, output = block.partition("\n")
        found.append((words_of(line.removeprefix("$ matte ")), output))
    return found


COMMAND_LINES = [
    words_of(line)[1:]
    for block in blocks("sh")
    for line in block.splitlines()
    if line.startswith("matte ")
]


@pytest.fixture
def folder(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the README's commands name, and a bucket."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "portrait.jpg").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "photos").mkdir()
    save(tmp_path / "photos" / "dark.png", np.zeros((40, 60, 3), np.uint8))
    s3.put("shop", "shoot/dark.png", (tmp_path / "photos" / "dark.png").read_bytes())
    trimap = np.full((512, 512), 128, np.uint8)
    trimap[150:400, 200:300], trimap[:40] = 255, 0
    save(tmp_path / "mine.png", trimap)
    for name in ("group.jpg", "mug.jpg"):
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    for name in ("beach.jpg", "office.jpg"):
        save(tmp_path / name, np.full((90, 120, 3), 200, np.uint8))
    for name in ("talk.mp4", "waves.mp4"):
        clip(tmp_path / name, times=range(0, 4004, 1001))
    (tmp_path / "DATA").mkdir()
    return tmp_path


def parse(words: list[str]) -> None:
    """Raises a click.UsageError unless the words are a command with options that it has."""
    if words[0] not in COMMANDS:
        words = ["image", *words]
    context = click.Context(main, info_name="matte")
    command = main.get_command(context, words.pop(0))
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
    assert command is not None
    command.make_context("matte", words, parent=context)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "words", [*COMMAND_LINES, *(words for words, _ in examples())], ids=" ".join
)
def test_every_command_is_understood(words: list[str]) -> None:
    parse(list(words))


def test_a_command_that_matte_does_not_have_is_noticed() -> None:
    for wrong in (["image", "a.jpg", "--backgound", "b.jpg"], ["sweep-trimap", "--sheet"]):
        with pytest.raises(click.UsageError):
            parse(wrong)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [w for w in COMMAND_LINES if w[0] not in NOT_RUN], ids=" ".join)
def test_what_needs_nothing_else_is_run(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0, result.output


def comparable(text: str) -> str:
    """The text with all numbers alike and single spaces: times differ from run to run."""
    return re.sub(r" +", " ", re.sub(r"\d+", "N", text))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("words", "output"), examples(), ids=lambda value: " ".join(value)[:30])
def test_what_the_readme_shows_is_what_is_printed(words: list[str], output: str) -> None:
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert comparable(result.stdout) == comparable(output)


@pytest.mark.usefixtures("folder")
def test_the_python_of_the_readme_runs() -> None:
    (code,) = blocks("python")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["picture"].shape == (512, 512, 3)


def test_its_links_lead_somewhere() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [link for link in links if "://" not in link and not (root / link).exists()]
    assert links
    assert not missing
