import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matte import system_calls
from matte.system_calls import allocate, has_ended, process_mark, rename_without_replacing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls of Linux")


def test_no_file_is_replaced(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old")
    new.write_text("new")
    try:
        done = rename_without_replacing(old, tmp_path / "third")
    except FileExistsError:
        pytest.fail("there is none")
    if not done:
        pytest.skip("this disk can't do it")
    with pytest.raises(FileExistsError):
        rename_without_replacing(tmp_path / "third", new)
    assert new.read_text() == "new"
    with pytest.raises(FileNotFoundError):
        rename_without_replacing(old, tmp_path / "fourth")


def test_room_is_kept_without_making_a_file_longer(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("w+b") as file:
        file.write(b"abc")
        file.flush()
        if not allocate(file.fileno(), 1 << 20):
            pytest.skip("this disk can't do it")
        assert path.stat().st_size == 3
        assert path.stat().st_blocks * 512 >= 1 << 20
        with pytest.raises(OSError, match=r"No space left|File too large"):
            allocate(file.fileno(), 1 << 60)
    reading, writing = os.pipe()
    assert not allocate(writing, 10), "a pipe has no room to keep"
    os.close(reading)
    os.close(writing)


def test_a_limit_of_the_process_counts(tmp_path: Path) -> None:
    code = """
import resource, sys
from matte.system_calls import allocate
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with open(sys.argv[1], "w+b") as file:
    allocate(file.fileno(), 9_000)
    try:
        allocate(file.fileno(), 11_000)
    except OSError as error:
        print(error.errno)
"""
    words = [sys.executable, "-c", code, str(tmp_path / "a")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == f"{errno.EFBIG}\n"


def test_a_process_is_known_to_have_ended() -> None:
    mark = process_mark()
    if not mark:
        pytest.skip("this system doesn't say when it started")
    assert not has_ended(mark)
    machine, pid, start = mark.split("-")
    assert pid == str(os.getpid())
    assert has_ended(f"{machine}-{pid}-{int(start) - 1}")  # it had the same number
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert system_calls._state_and_start(other.pid) is not None
    of_other = f"{machine}-{other.pid}-{system_calls._state_and_start(other.pid)[1]}"  # type: ignore[index]  # not None
    assert not has_ended(of_other)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(of_other), "a zombie writes nothing"
    other.communicate()
    assert has_ended(of_other)
    assert not has_ended(f"00000000-{other.pid}-1"), "of another machine"


def test_where_nothing_is_known_nothing_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = process_mark()
    monkeypatch.setattr(system_calls, "_machine_mark", lambda: "")
    assert process_mark() == ""
    assert not has_ended("-1-1")
    if mark:
        monkeypatch.undo()
        monkeypatch.setattr(system_calls, "_state_and_start", lambda _: None)
        assert not has_ended(mark), "one that is there but not to be looked at"


COUNTING = """
from contextlib import nullcontext
from resource import RUSAGE_SELF, getrusage

import numpy as np

from matte.system_calls import freed_memory_kept

for block in (nullcontext(), freed_memory_kept(), nullcontext()):
    with block:
        np.ones(64 << 20, np.uint8)
        before = getrusage(RUSAGE_SELF).ru_minflt
        for _ in range(4):
            np.ones(64 << 20, np.uint8)
        print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""


def test_freed_memory_is_taken_again_and_given_back_at_last() -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("another C library than glibc")
    done = subprocess.run(
        [sys.executable, "-c", COUNTING], capture_output=True, text=True, check=True
    )
    before, inside, after = (int(line) for line in done.stdout.split())
    assert inside < before / 10
    assert after > before / 2
