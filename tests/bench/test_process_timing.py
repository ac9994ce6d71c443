import sys
from pathlib import Path

import pytest

from matte.bench.process_timing import Command, run_once, time_commands
from matte.errors import BackendError


def python(name: str, code: str, result: Path | None = None) -> Command:
    return Command(name, (sys.executable, "-c", code), result=result)


def nothing() -> None:
    pass


def test_a_process_is_charged_with_its_own_memory_only() -> None:
    held = bytearray(200 << 20)
    small = run_once(python("small", "pass"))["peak_mib"]
    large = run_once(python("large", "b'x' * (150 << 20)"))["peak_mib"]
    assert held
    assert 1 < small < 100
    assert 150 < large < 250


def test_seconds_are_the_processs() -> None:
    assert 0.3 < run_once(python("slow", "import time; time.sleep(.3)"))["seconds"] < 5


def test_commands_run_in_turns_after_a_first_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = [
        python(name, f"open({str(log)!r}, 'a').write({name!r})") for name in ("a", "b", "c")
    ]
    steps: list[None] = []
    found = time_commands(commands, 2, lambda: steps.append(None))
    assert log.read_text() == "abcabcabc"
    assert len(steps) == 9
    assert [timed.seconds.count for timed in found.values() if timed.seconds] == [2, 2, 2]


def test_one_that_fails_is_told_and_disturbs_no_other() -> None:
    commands = [python("bad", "raise SystemExit('no such luck')"), python("good", "pass")]
    found = time_commands(commands, 1, nothing)
    assert found["bad"].error == "bad failed (no such luck)"
    assert found["bad"].seconds is None
    assert found["good"].seconds is not None


def test_a_result_must_be_written_anew(tmp_path: Path) -> None:
    result = tmp_path / "result"
    result.write_text("from before")
    with pytest.raises(BackendError, match="lazy wrote nothing"):
        run_once(python("lazy", "pass", result))
    assert run_once(python("busy", f"open({str(result)!r}, 'w')", result))["code"] == 0


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(BackendError, match=r"gone failed \(FileNotFoundError"):
        run_once(Command("gone", ("/no/such/program",)))
