"""`matte` in processes of its own: signals and closed streams, which forks of a server hide."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attack.endings import MAX_MEMORY_BYTES, Ending
from tests.attack.room import WALL_PER_CPU, Room, environment
from tests.attack.server import kill_group

MATTE = ("-m", "matte")
MAX_WALL_SECONDS = 180.0  # on a busy machine


@dataclass(slots=True)
class Started:
    """A process of `matte` that runs."""

    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    began: float

    @property
    def cpu(self) -> float:
        """The seconds of processor that it has used; those of ended children, too."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> bool:
        """Waits until a condition holds; False if the process ends or time is over before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if condition():
                return True
            time.sleep(0.004)
        return condition()

    @property
    def peak_bytes(self) -> int:
        """The most memory that it has taken."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def end(self, cpu_seconds: float = 60, memory_bytes: int = MAX_MEMORY_BYTES) -> Ending:
        """Waits for the process's end; kills it at its limits."""
        killed, cpu, peak = "", 0.0, 0
        limit = time.monotonic() + max(MAX_WALL_SECONDS, WALL_PER_CPU * cpu_seconds)
        while self.process.poll() is None:
            cpu, peak = max(cpu, self.cpu), max(peak, self.peak_bytes)
            if time.monotonic() > limit or cpu > cpu_seconds:
                killed = "time"
            elif peak > memory_bytes:
                killed = "memory"
            if killed:
                break
            time.sleep(0.02)
        left = kill_group(self.process.pid)
        code = self.process.wait()
        wall = time.monotonic() - self.began
        out, err = (p.read_bytes() if p.is_file() else b"" for p in (self.out, self.err))
        return Ending(self.words, code, out, err, cpu, wall, peak, killed, left and not killed)


def start(
    room: Room,
    words: Sequence[object],
    changes: Mapping[str, str | None] | None = None,
    prepare: Callable[[], None] | None = None,
    program: Sequence[str] = MATTE,
    **options: Any,
) -> Started:
    """Starts `matte` in the room's folder; `changes` to its environment, None removes.

    `prepare` runs in the new process before matte; `options` are those of Popen.
    """
    room.runs += 1
    listed = tuple(str(word) for word in words)
    around: dict[str, str] = environment(room.server.code, room.server.home)
    for key, value in (changes or {}).items():
        around.pop(key, None)
        if value is not None:
            around[key] = value
    out, err = (room.shared / f"{name}-{id(room)}-{room.runs}" for name in ("out", "err"))
    with out.open("wb") as out_file, err.open("wb") as err_file:
        streams: dict[str, Any] = {"stdout": out_file, "stderr": err_file}
        process = subprocess.Popen(
            [sys.executable, "-P", *program, *listed],
            cwd=room.folder,
            env=around,
            start_new_session=True,
            preexec_fn=prepare,
            **{"stdin": subprocess.DEVNULL, **streams, **options},
        )
    return Started(listed, process, out, err, time.monotonic())


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
