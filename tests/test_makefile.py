"""The Makefile's own decisions."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_an_environment_of_another_checkout_is_refused(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    assert subprocess.run(["make", "help"], cwd=tmp_path, capture_output=True).returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".venv").symlink_to(elsewhere)
    refused = subprocess.run(["make", "demo"], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 2
    assert ".venv is a symbolic link: remove it" in refused.stderr
    assert not any(elsewhere.iterdir())
