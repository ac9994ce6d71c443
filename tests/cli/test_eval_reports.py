"""What every `matte eval` command answers before it measures anything."""

from pathlib import Path

import pytest

from tests.commands import run


@pytest.mark.parametrize("stage", ["segmenter", "refiner", "modnet", "pipeline"])
def test_outputs_are_checked_before_the_work(tmp_path: Path, stage: str) -> None:
    taken = tmp_path / "scores.json"
    taken.write_text("precious")
    words = ("eval", stage, "--data", tmp_path, "--json", taken)
    result = run(*words)
    assert result.exit_code == 1
    assert "scores.json exists: choose another name or add --overwrite" in result.stderr
    assert taken.read_text() == "precious"
    wrong = run(*words[:-1], tmp_path / "scores.txt")
    assert wrong.exit_code == 1
    assert "can't write" in wrong.stderr


@pytest.mark.parametrize("stage", ["segmenter", "refiner", "modnet", "pipeline"])
def test_every_stage_has_the_same_reports(stage: str) -> None:
    shown = run("eval", stage, "--help").stdout
    for option in ("--data", "--peer", "--reference", "--json", "--sheet", "--overwrite"):
        assert option in shown
