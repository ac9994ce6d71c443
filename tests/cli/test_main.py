"""What can be typed, and what is answered."""

import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from matte.cli.main import COMMANDS, main
from tests.commands import HEAVY, loaded_by, run
from tests.conftest import SAMPLE, save


@pytest.mark.usefixtures("fake")
def test_a_file_alone_means_image(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    ways: list[list[str | Path]] = [
        ["image", SAMPLE, "-o", out],
        [SAMPLE, "-o", out],
        ["-o", out, SAMPLE],
        ["--quiet", "-o", out, "--", SAMPLE],
    ]
    for words in ways:
        out.unlink(missing_ok=True)
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert out.is_file()


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("words", [[], ["image"], ["weights"]])
def test_without_arguments_the_help_is_shown_in_lines(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ")
    assert result.stderr.count("\n") > 8
    assert max(map(len, result.stderr.splitlines())) <= 80


def test_a_first_word_that_exists_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "portrait").write_bytes(SAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    result = run("portrait")
    assert result.exit_code == 0, result.output
    assert result.stdout == "portrait-matte.png\n"


@pytest.mark.parametrize(("word", "nearest"), [("imge", "image"), ("trimpa", "trimap")])
def test_a_mistyped_command_meets_the_nearest(
    word: str, nearest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(word)
    assert result.exit_code == 2
    told = f"Error: no command, file or folder '{word}': did you mean '{nearest}'?\n"
    assert result.stderr == told


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("shoott", "did you mean 'shoot'?"),
        ("./shoott/", "did you mean './shoot'?"),
        ("shoot/inn", "did you mean 'shoot/in'?"),
        ("trian", "did you mean 'train' or 'trimap' or 'trains'?"),
        ("nowhere/shoot", "see matte --help"),
        ("zzzzzzzz", "see matte --help"),
        ("a\0b", "see matte --help"),
    ],
)
def test_a_mistyped_folder_meets_the_nearest(
    word: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shoot" / "in").mkdir(parents=True)
    (tmp_path / "trains").mkdir()
    monkeypatch.chdir(tmp_path)
    result = run(word, "-o", "cut9")
    assert result.exit_code == 2
    assert result.stderr == f"Error: no command, file or folder {word!r}: {remedy}\n"


def test_a_word_with_a_suffix_is_a_path() -> None:
    result = run("imge.jpg")
    assert result.exit_code == 1
    assert (
        result.stderr == "Error: can't read imge.jpg (No such file or directory): name a picture\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
    assert name in run("--help").stdout


def test_help_loads_no_runtime() -> None:
    loaded = loaded_by("--help")
    assert "click" in loaded
    assert not loaded & (HEAVY | {"openvino", "onnxruntime", "cv2", "numpy"})


def test_image_loads_neither_torch_nor_what_compiles(tmp_path: Path) -> None:
    loaded = loaded_by("image", SAMPLE, "-o", tmp_path / "out.png")
    assert "openvino" in loaded
    assert not loaded & HEAVY


def test_training_is_offered_without_loading_torch() -> None:
    assert not loaded_by("train", "segmenter", "--help") & HEAVY


@pytest.mark.parametrize("words", [["completion", "x\nError: y"], ["weights", "path", "a", "x\ry"]])
def test_mistakes_with_newlines_are_one_line(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert result.stderr.endswith(f"{errors[0]}\n")


@pytest.mark.usefixtures("fake")
def test_a_warning_forges_no_error(tmp_path: Path) -> None:
    nobody = save(tmp_path / "w\nError: forged.png", np.zeros((40, 50, 3), np.uint8))
    result = run(nobody, "--preset", "fast", "-o", tmp_path / "o.png")
    assert result.exit_code == 0, result.output
    assert all(line.startswith("Warning: ") for line in result.stderr.splitlines()), result.stderr
    assert "w\\nError: forged.png" in result.stderr


@pytest.mark.usefixtures("fake")
def test_ctrl_c_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("matte.photos.batch.Batch.run", interrupted)
    result = run("image", SAMPLE, "-o", tmp_path / "out.png")
    assert (result.exit_code, result.stderr) == (130, "Error: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_program_waits_for_no_thread() -> None:
    """One that imports may wait for ever if an import was interrupted."""
    code = """
import threading
from matte.cli import main
def interrupted(*_, **__):
    threading.Thread(target=threading.Event().wait).start()
    raise KeyboardInterrupt
import matte.cli.config
matte.cli.config.config.invoke = interrupted
main.main(["config", "show"])
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: interrupted\n")
