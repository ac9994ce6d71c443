"""A user's own folder of pictures and masks, as docs/training.md tells to train on it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
import torch
from click.testing import CliRunner

from matte.cli.main import main
from matte.training.state import FILE
from tests.training.conftest import disc

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/training.md").read_text(encoding="utf-8")
SMALL = ("sizes=[64]", "run.batch=2", "run.steps=2", "run.validate_every=2")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder mine/ and the guide's recipe mine.toml, in the working directory."""
    for folder in ("images", "masks"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
    for number in range(8):
        picture, mask = disc(number)
        cv2.imwrite(str(tmp_path / f"mine/images/{number:03}.jpg"), picture)
        cv2.imwrite(str(tmp_path / f"mine/masks/{number:03}.png"), mask)
    (recipe,) = re.findall(r"```toml\n(architecture.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "mine.toml").write_text(recipe, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def command(config: str, *changes: str) -> list[str]:
    """The words of the guide's command that trains with the recipe."""
    words = re.findall(rf"matte (train segmenter --config {config} --data mine [^\n`]*)", GUIDE)[0]
    return [*words.split(), *(word for change in changes for word in ("--set", change))]


def test_the_guides_recipe_trains_on_it(mine: Path) -> None:
    result = CliRunner().invoke(main, command("mine.toml", *SMALL), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{Path('runs/mine/best.safetensors')}\n"
    assert (mine.parent / "runs/mine/best.onnx").is_file()
    assert "precision " in result.stderr
    assert "none of the recipe's data sets" not in result.stderr


def test_another_folder_is_refused_with_the_remedy(mine: Path) -> None:
    (mine / "masks").rename(mine / "marks")
    result = CliRunner().invoke(main, command("person"))
    assert result.exit_code == 2
    assert "no folder mine/person_seg/ccp: name with --data the folder" in result.stderr


def test_a_killed_run_of_a_shipped_recipe_goes_on_and_finishes(mine: Path) -> None:
    """Killed before its first validation: what it left was saved by the clock."""
    long = ("sizes=[64]", "run.batch=2", "run.steps=9999", "run.validate_every=9999")
    words = command("person", *long, "run.save_minutes=0.001")
    child = subprocess.Popen(
        [sys.executable, "-m", "matte", *words],
        cwd=mine.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    state = mine.parent / "runs/mine" / FILE
    limit = time.monotonic() + 300
    while not state.is_file() and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    child.kill()
    assert state.is_file(), child.communicate()[1].decode()
    child.communicate()
    step = torch.load(state, weights_only=True)["progress"]["step"]
    assert step >= 1
    assert not (state.parent / "best.onnx").exists()
    words = command("person", *long, f"run.steps={step + 1}", "run.save_minutes=10")
    result = CliRunner().invoke(main, [*words, "--resume"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "mine has none of the recipe's data sets: its images/ and masks/ are" in result.stderr
    assert (state.parent / "best.onnx").is_file()
    assert torch.load(state, weights_only=True)["progress"]["step"] == step + 1
