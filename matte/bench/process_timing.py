"""Time whole processes from start to end, in turns."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matte.errors import BackendError
from matte.metrics.timings import TimingSpread, summarise_timings

LAUNCHER_FILE = Path(__file__).with_name("launcher.py")
MAX_PROCESS_SECONDS = 900  # seconds that a process may take
MATTE_COMMAND = (sys.executable, "-m", "matte")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to time; `result` is the file that it must write, if any."""

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    result: Path | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProcessTiming:
    """The seconds and the memory of a command's runs; or the error that prevented them."""

    name: str
    seconds: TimingSpread | None = None
    peak_mib: float | None = None
    note: str = ""
    error: str = ""
    words: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the timing for `matte bench --json`."""
        return {
            "name": self.name,
            "seconds": self.seconds.as_json() if self.seconds else None,
            "peak_mib": self.peak_mib,
            "note": self.note,
            "error": self.error,
            "command": list(self.words),
        }


def time_commands(
    commands: Sequence[Command], runs: int, step: Callable[[], None]
) -> dict[str, ProcessTiming]:
    """Return each command's seconds and peak of memory, by its name.

    All run once before anything counts, so that their caches are filled, and then in turns.
    """
    seconds: dict[str, list[float]] = {command.name: [] for command in commands}
    peaks: dict[str, list[float]] = {command.name: [] for command in commands}
    failed: dict[str, str] = {}
    for number in range(1 + runs):
        for command in commands:
            step()
            if command.name in failed:
                continue
            try:
                once = run_once(command)
            except BackendError as error:
                failed[command.name] = str(error)
                continue
            if number:
                seconds[command.name].append(once["seconds"])
                peaks[command.name].append(once["peak_mib"] or 0)
    found = {}
    for command in commands:
        name, words = command.name, command.words
        if name in failed:
            found[name] = ProcessTiming(name, note=command.note, error=failed[name], words=words)
            continue
        peak = max(peaks[name]) or None
        found[name] = ProcessTiming(
            name, summarise_timings(seconds[name], 4), peak, command.note, words=words
        )
    return found


def time_once(command: Command) -> ProcessTiming:
    """Return the time and memory of a single run of a command, with caches as they are."""
    try:
        once = run_once(command)
    except BackendError as error:
        return ProcessTiming(command.name, note=command.note, error=str(error), words=command.words)
    seconds = summarise_timings([once["seconds"]], 4)
    return ProcessTiming(command.name, seconds, once["peak_mib"], command.note, words=command.words)


def run_once(command: Command) -> dict[str, Any]:
    """Return the seconds and peak of memory of one run; raise BackendError if it fails."""
    if command.result is not None:
        command.result.unlink(missing_ok=True)
    job = {"words": command.words, "env": {**os.environ, **command.env}}
    with tempfile.TemporaryFile() as said:
        launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER_FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        try:
            output, _ = launcher.communicate(json.dumps(job).encode(), timeout=MAX_PROCESS_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BackendError(f"{command.name} took over {MAX_PROCESS_SECONDS} seconds") from error
        finally:
            if launcher.poll() is None:
                _kill_process_group(launcher)
        said.seek(0)
        words = said.read().decode(errors="replace")
    once: dict[str, Any] = json.loads(output) if output else {"code": launcher.returncode}
    if once["code"] != 0:
        raise BackendError(f"{command.name} failed ({last_line(words)})")
    if command.result is not None and not command.result.is_file():
        raise BackendError(f"{command.name} wrote nothing ({last_line(words)})")
    return once


def _kill_process_group(launcher: subprocess.Popen[bytes]) -> None:
    """Kill the launcher and, where the system has process groups, what it started."""
    if hasattr(os, "killpg"):
        os.killpg(launcher.pid, signal.SIGKILL)
    else:
        launcher.kill()
    launcher.wait()


def last_line(text: str) -> str:
    """Return the last line that a program printed, which mostly names the cause."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
