"""Runs every check of the project, the tests beside the others: `python tests/run_checks.py`.

The tests run in two processes and write as they go. What the other checks write is shown at the
end, and only of those that fail; the exit status is 1 if any did.
"""

import os
import signal
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", *(str(path) for path in sorted(ROOT.glob("docs/*.md"))))
# torch's threads would wait for each other: an export took 21 s of processor time with two
# threads on a busy machine, and 8 s with one. Compiled modules are kept, whatever the machine is
# told: else each of the many processes compiles them again.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
TESTS = ("pytest", "-n", "2", "--dist", "worksteal")
OTHERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports", "--no-cache"),
    ("mypy",),
    ("cog", "--check", "-P", *DOCUMENTS),
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended."""

    words: tuple[str, ...]
    passed: bool
    seconds: float
    output: str  # empty where it went to the terminal


def run(words: tuple[str, ...], shown: bool = False) -> CheckResult:
    """Runs a program of this environment."""
    program = Path(sysconfig.get_path("scripts")) / words[0]
    start = time.perf_counter()
    done = subprocess.run(
        [str(program), *words[1:]],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    return CheckResult(words, done.returncode == 0, seconds, done.stdout or "")


def main() -> int:
    """Runs all checks and tells how they ended."""
    # Where a shell started this in the background, Ctrl-C is ignored, by all children too; tests
    # interrupt some.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ThreadPoolExecutor(1) as beside:
        others = [beside.submit(run, words) for words in OTHERS]
        tests = run(TESTS, shown=True)
        results = [*(other.result() for other in others), tests]
    for result in results:
        if not result.passed:
            sys.stdout.write(f"\n{' '.join(result.words[:3])}:\n{result.output}")
    for result in results:
        state = "passed" if result.passed else "FAILED"
        sys.stdout.write(f"{state} {result.seconds:6.1f} s  {' '.join(result.words[:3])}\n")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
