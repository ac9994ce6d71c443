"""Runs `matte` in forks of a process that has loaded it: `python server.py CODE MODULE…`.

Reads requests, each a line of JSON, from standard input, and answers each with a line. A fork's
whole group is killed at a limit of time or of memory.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ENDING_SECONDS = 2  # that what a process started may take longer than it


def main() -> None:
    """Answers requests until standard input ends."""
    sys.path[0] = sys.argv[1]
    load_matte()
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()  # forks share what is never collected
    answers = os.dup(1)
    with open(0, "rb", buffering=0, closefd=False) as requests:
        while line := requests.readline():
            request = json.loads(line)
            began = time.perf_counter()
            pid = os.fork()
            if pid == 0:
                os.close(answers)
                prepare(request)
                run_matte()
            answer = wait(pid, began, request)
            os.write(answers, (json.dumps(answer) + "\n").encode())


def load_matte() -> None:
    """Imports matte's modules, but for those of the torch side and of graphics cards."""
    for path in sorted(Path(sys.path[0], "matte").rglob("*.py")):
        text = path.read_text()
        if not (path.name.startswith("__") or "import torch" in text or "tensorrt" in path.name):
            name = ".".join(path.relative_to(sys.path[0]).with_suffix("").parts)
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def run_matte() -> None:
    """Runs matte, and ends at once: to tidy up all that the server loaded would take a second."""
    code = 1
    try:
        runpy.run_module("matte", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  # as Python itself would
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Python does
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def prepare(request: dict[str, Any]) -> None:
    """Makes this fork the process that the request asks for."""
    os.setsid()
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if fd == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        handle = os.open(os.fsencode(request[name]), flags)
        os.dup2(handle, fd)
        os.close(handle)
    os.chdir(os.fsencode(request["folder"]))
    for key, value in request["environment"].items():
        os.environ[key] = value
    seconds = request["cpu_seconds"]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if request["file_bytes"]:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"], hard))
    sys.argv = ["matte", *request["words"]]


def wait(pid: int, began: float, request: dict[str, Any]) -> dict[str, Any]:
    """Waits for a fork, kills it at its limits, and says how it ended."""
    handle = os.pidfd_open(pid)
    killed = ""
    while not select.select([handle], [], [], 0.1)[0]:
        if time.perf_counter() - began > request["wall_seconds"]:
            killed = "time"
        elif resident_bytes(pid) > request["memory_bytes"]:
            killed = "memory"
        if killed:
            os.killpg(pid, signal.SIGKILL)
            break
    os.close(handle)
    _, status, usage = os.wait4(pid, 0)
    left = kill_group(pid)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "killed": killed,
        "children_left": left and not killed,
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": time.perf_counter() - began,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def resident_bytes(pid: int) -> int:
    """The memory that a process takes now; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def kill_group(pid: int) -> bool:
    """Kills what a process left running; returns whether there was anything.

    Python's own tracker of resources ends a moment after its process.
    """
    end = time.monotonic() + ENDING_SECONDS
    try:
        while time.monotonic() < end:
            os.killpg(pid, 0)
            time.sleep(0.02)
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
