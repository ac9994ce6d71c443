"""`matte train`, as it is typed. What it does: tests/training."""

from pathlib import Path

import pytest

from matte.errors import InterruptedRunError
from tests.commands import run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("modnet", "--validation", "."), "--validation is for --soc: use the recipe's held_back"),
        (("segmenter", "--config", "persn"), "no recipe 'persn': did you mean 'person'"),
    ],
)
def test_mistakes_are_told_on_one_line(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    needed = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
    needed += [] if "--config" in words else ["--config", "modnet"]
    result = run("train", *words, *needed)
    assert result.exit_code != 0
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    result = run("train", "refiner", "--config", "gca-slim", "--data", nowhere, "--out", tmp_path)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_an_interrupted_training_names_the_command_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> Path:
        raise InterruptedRunError("interrupted after step 7 of 9", "go on with --resume")

    words = ("train", "modnet", "--config", "modnet", "--data", str(tmp_path), "--out", "my run")
    monkeypatch.setattr("matte.training.modnet.train_modnet", stop)
    monkeypatch.setattr("sys.argv", ["matte", *words])
    result = run(*words)
    assert result.exit_code == 130
    command = f"matte {' '.join(words[:-1])} 'my run' --resume"
    assert result.stderr == f"Error: interrupted after step 7 of 9: go on with: {command}\n"
