"""Runs of `matte` that `fleet.py` measures: in which settings, how long, and what they printed."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import Row

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fleet.ray_clusters import descendants

PINNED = {"backend": "openvino", "precision": "fp32"}
SETTINGS = ["--preset", "fast", *(word for key in PINNED for word in (f"--{key}", PINNED[key]))]
STARTED = re.compile(r"Ray began after ([\d.]+) s")
RATE = re.compile(r"written \(([\d.]+) a second\)")
RETRIES = re.compile(r"(\d+) calls? to the store made again")


def timed(*words: str | Path) -> Row:
    """Return seconds and processor seconds of a `matte` command, and what it wrote.

    The processor seconds are those of all processes below it, Ray's too, looked at every second.
    """
    begin, seen = time.perf_counter(), dict[int, float]()
    with tempfile.TemporaryFile("w+") as lines:
        command = [sys.executable, "-m", "matte", *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=lines)
        while process.poll() is None:
            for pid in (process.pid, *descendants(process.pid)):
                seen[pid] = processor_seconds(pid) or seen.get(pid, 0.0)
            time.sleep(1)
        seconds = time.perf_counter() - begin
        lines.seek(0)
        text = lines.read()
    if process.returncode:
        raise SystemExit(text[-2000:])
    return {"seconds": round(seconds, 1), "cpu": round(sum(seen.values()), 1), "stderr": text}


def processor_seconds(pid: int) -> float:
    """Return what a process has taken of the processors; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def found_in(pattern: re.Pattern[str], text: str) -> str:
    """Return what a pattern finds."""
    found = pattern.search(text)
    assert found is not None, text
    return found[1]
