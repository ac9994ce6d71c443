"""Batches from worker processes."""

import subprocess
import sys
from pathlib import Path

WITH_AND_WITHOUT = """
import signal, sys
from dataclasses import replace
from pathlib import Path
from tests.training.line_task import SETTINGS, train_line
folder, settings = Path(sys.argv[1]), replace(SETTINGS, steps=4)
before = signal.getsignal(signal.SIGCHLD)
alone = train_line(folder / "a", settings)
assert len(alone) == 1, alone
assert alone == train_line(folder / "b", replace(settings, workers=1))
assert signal.getsignal(signal.SIGCHLD) is before
"""


def test_workers_change_nothing(tmp_path: Path) -> None:
    """In a process of its own: forked from one with all the runtimes' threads, they crash it."""
    words = [sys.executable, "-c", WITH_AND_WITHOUT, str(tmp_path)]
    done = subprocess.run(
        words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
