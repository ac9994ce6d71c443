"""Every module of matte can be imported where POSIX's own modules and functions are missing."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import matte

# Python's modules that Windows does not have.
POSIX_MODULES = (
    "curses", "fcntl", "grp", "posix_ipc", "pty", "pwd", "readline", "resource", "syslog",
    "termios", "tty",
)  # fmt: skip
# Functions of os and names of signal that Windows does not have.
POSIX_FUNCTIONS = (
    "fchmod", "fork", "geteuid", "getpgid", "getuid", "killpg", "mkfifo", "sched_getaffinity",
    "setsid", "statvfs", "sysconf", "wait4", "waitid",
)  # fmt: skip
POSIX_SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGWINCH")
# These packages themselves look for what their own system has, so they are loaded before.
LOADED_BEFORE = ("numpy", "cv2", "PIL.Image", "av", "onnxruntime", "rich.console", "click")
IMPORTED_ONLY_WITH = {
    "matte.conversion.torch2trt": "tensorrt",
    "matte.runtime.engine_builder": "tensorrt",
    "matte.runtime.tensorrt": "tensorrt",
}
SCRIPT = """
import importlib, os, signal, sys
for name in {loaded!r}:
    importlib.import_module(name)
for name in {functions!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {signals!r}:
    if hasattr(signal, name):
        delattr(signal, name)
for name in {modules!r}:
    sys.modules[name] = None  # importing it raises ImportError
for name in {targets!r}:
    importlib.import_module(name)
from matte.bench.worker import peak_mib
from matte.runtime.machine import describe_machine
from matte.runtime.memory import available_bytes
from matte.runtime.threads import usable_threads
assert usable_threads() >= 1
assert available_bytes() > 0
assert describe_machine()["threads"] >= 1
peak_mib()
print("all imported")
"""


def test_nothing_needs_what_only_posix_has() -> None:
    if find_spec("torch") is None:
        pytest.skip("the torch side needs torch")
    loaded = [*LOADED_BEFORE, "torch", "openvino", "onnx", "timm", "lightning_fabric"]
    script = SCRIPT.format(
        loaded=[name for name in loaded if find_spec(name.partition(".")[0])],
        functions=POSIX_FUNCTIONS,
        signals=POSIX_SIGNALS,
        modules=POSIX_MODULES,
        targets=module_names(),
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout.endswith("all imported\n"), done.stderr


def module_names() -> list[str]:
    """All modules of matte that the packages installed here let import."""
    root = Path(matte.__file__).parent
    names = []
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        package = IMPORTED_ONLY_WITH.get(name)
        if parts[-1] != "__main__" and (package is None or find_spec(package)):
            names.append(name)
    return names
