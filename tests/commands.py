"""`matte` as it is typed."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from matte.cli.main import main

# Packages that take long to import.
HEAVY = {"torch", "pymatting", "numba", "scipy"}


def run(*words: str | Path) -> Result:
    """Runs `matte` with these words, in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def loaded_by(*words: str | Path) -> set[str]:
    """Returns the modules that a process of its own loads for `matte` with these words."""
    code = (
        "import json, sys\n"
        "from matte.cli.main import main\n"
        "main(json.loads(sys.argv[1]), standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    argument = json.dumps([str(word) for word in words])
    done = subprocess.run(
        [sys.executable, "-c", code, argument], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))
